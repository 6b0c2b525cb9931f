"""A value that is being computed, and stands in a variable of the program meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# WAITING for inputs; READY to start; RUNNING; DONE; FAILED; INLINE: the program has to carry it out itself, in order;
# DROPPED: nobody wants it any more.
WAITING, READY, RUNNING, DONE, FAILED, INLINE, DROPPED = range(7)


class Pending:
    """One step of a program that was put off: `work` on `values`, of which some may be pending themselves."""

    __slots__ = (
        *("around", "away", "beside", "callee", "error", "followers", "forgotten", "guard", "light", "missing"),
        *("number", "place", "proof", "site", "state", "value", "values", "work"),
    )

    def __init__(self, number: int, work: Callable[..., Any], values: tuple[Any, ...], place: tuple[int, int]) -> None:
        self.number = number
        """Its place in program order."""
        self.place = place
        """Where in the program it stands: instruction and line."""
        self.work = work
        self.values = values
        self.state = WAITING
        self.value: Any = None
        self.error: BaseException | None = None
        self.followers: list[Pending] = []
        self.missing = 0
        """Inputs that are not there yet."""
        self.guard: Callable[[tuple[Any, ...]], bool] | None = None
        """Whether it may be done out of order with these values."""
        self.light = False
        """Too little work to be worth a thread."""
        self.site: Any = None
        self.callee: tuple[Any, tuple[str, ...], int] | None = None
        """Of a call: the operator, names of keywords, how many arguments come without."""
        self.proof: Any = None
        self.around: Callable[[Callable[[], Any]], Any] | None = None
        """Carries work out as if it were called from where the program calls it."""
        self.away = False
        """Another process does it."""
        self.beside: Any = None
        """The process, while it does."""
        self.forgotten = False
        """What went wrong in it does not count."""

    @property
    def ended(self) -> bool:
        return self.state in (DONE, FAILED)

    def resolved(self) -> tuple[Any, ...]:
        """The values, those that were pending by what came of them."""
        return tuple(one.value if type(one) is Pending else one for one in self.values)


def got(one: Any) -> Any:
    """The value, of a step that has ended."""
    return one.value if type(one) is Pending else one
