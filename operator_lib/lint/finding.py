"""A finding, and what its code means."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that will go wrong."""

    code: str
    message: str
    file: str
    line: int
    fix: str
    """What to do about it."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.code} {self.message}\n    fix: {self.fix}"


EXPLAINED = {
    "OP101": "A child is made and nobody calls it. It travels, is built in every process, and does nothing: a call "
    "was forgotten, or the child was.",
    "OP102": "A call of an operator stands where the program never comes: behind a return, a raise, a break, or "
    "under a condition that is never true.",
    "OP301": "A loop has no end: its condition cannot become false, and nothing in it leaves it. A run ends by its "
    "timeout, if it has one; a call of a serving holds its replica for ever.",
    "OP401": "A method of a serving with concurrency above 1 writes an attribute outside of a lock. Two calls at "
    "the same time read the same value and one of the two changes is lost.",
    "OP501": "A cached operator has an effect. When its stored output is used, the effect does not happen.",
    "OP502": "An operator with retries has an effect that is not undone when an attempt fails. The next attempt "
    "has it again.",
    "OP601": "A package is imported that nothing asks for: requirements.txt, pyproject.toml, the block of a script, "
    "the image. The environment on the worker will not have it.",
    "OP602": "The operator holds something that cannot be pickled: it cannot be deployed.",
    "OP801": "A secret is printed or logged. The worker masks the values of declared secrets; elsewhere, and of "
    "those that are not declared, it can be read by everybody who sees the log.",
}
