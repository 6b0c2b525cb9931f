"""What is wrong with a workflow: each mistake with its place and a way out, all of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from operator_lib.errors import OperatorError


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake.

    Attributes:
        message: what is wrong.
        file, line: where; line 0 when no line says it.
        hint: what to do about it.
        severity: an ``"error"`` keeps the workflow from running, a ``"warning"`` does not.
    """

    message: str
    file: str = ""
    line: int = 0
    hint: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        return f"{place}{self.severity}: {self.message}" + (f"; {self.hint}" if self.hint else "")


class InvalidWorkflow(OperatorError, ValueError):
    """A workflow that cannot run.

    Attributes:
        problems: every `Problem` that was found.
    """

    def __init__(self, name: str, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        self.name = name
        lines = [str(problem) for problem in self.problems]
        super().__init__(f"workflow {name} cannot run:\n  " + "\n  ".join(lines))

    def __reduce__(self) -> tuple[type[InvalidWorkflow], tuple[str, tuple[Problem, ...]]]:
        return InvalidWorkflow, (self.name, self.problems)


class InvalidArchive(OperatorError, ValueError):
    """A ``.war`` or ``.mar`` that is broken, incomplete or hostile. Nothing of it was kept."""


class HandlerError(OperatorError):
    """A handler cannot be loaded, or breaks a rule: how many answers it gives, for instance."""
