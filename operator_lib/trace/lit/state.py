"""What is known of a node, of a call, and of calls without a node, while the events come in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, eq=False)
class State:
    """A node that is called."""

    outcome: str = ""
    """How its last call ended: done, failed, cached, lost; empty before the first has."""
    count: int = 0
    counted: int = 0
    """How many of those calls were not told one by one."""
    started: float | None = None
    duration: float | None = None
    iteration: int = 0
    open: set[int] = field(default_factory=set[int])
    """The calls that are going on."""
    last: int = 0
    """The number of the event that began its last call; 0: not in this attempt."""
    ended: int = 0
    """The number of the event that ended a call last."""
    line: int = 0
    """The line of its own code that an exception came from."""

    def begin(self, call: int, now: float, number: int) -> None:
        self.open.add(call)
        self.started = now if self.started is None else min(self.started, now)
        self.last = number

    def end(self, call: int, spent: float, outcome: str, number: int, line: int = 0) -> None:
        self.open.discard(call)
        self.count += 1
        self.duration = (self.duration or 0.0) + spent
        self.outcome, self.ended, self.line = outcome, number, line

    def add(self, count: int, failed: int, spent: float, number: int) -> None:
        """So many calls that have been begun and ended."""
        self.count += count
        self.counted += count
        self.duration = (self.duration or 0.0) + spent
        self.last = self.ended = number
        self.outcome = "failed" if failed and failed == count else "done"

    def pass_through(self, times: int, now: float, number: int) -> None:
        """Something was called through it, for so many times."""
        self.started = now if self.started is None else self.started
        self.count = max(self.count, times)
        self.last, self.outcome = number, "done"

    def lose(self) -> None:
        """The process is gone."""
        if self.open:
            self.open.clear()
            self.outcome = "lost"

    def forget(self) -> None:
        """What became of it does not hold any more."""
        self.open.clear()
        self.outcome, self.last, self.ended, self.line, self.iteration = "", 0, 0, 0, 0


@dataclass(slots=True, eq=False)
class Call:
    """One call."""

    state: State
    scope: str | None
    """The node that the calls made in it stand in."""
    began: float
    round: int = 0
    """Of the innermost loop around it."""
    placed: bool = True
    """Whether it has a node."""
    near: str | None = None
    """Without one: the nearest operator around it that has."""


@dataclass(slots=True)
class Stranger:
    """Calls from one place that is not in the graph."""

    path: str
    file: str
    line: int
    node: str | None
    """The nearest operator in the graph that they were made in; None: the outermost."""
    count: int = 0

    def plain(self) -> dict[str, Any]:
        return {"path": self.path, "file": self.file, "line": self.line, "node": self.node, "calls": self.count}
