"""In which round of its loops a call is made, told by the order of the calls.

Nobody counts while the program runs: that would cost time in every round. But the calls of one round come in the order
of the source: a call that stands no further down than the one before it begins a new round, as does one in another arm.
A round in which no operator is called leaves no trace and is not counted, and the rounds of a loop that calls nothing
outside of another loop in it are taken for one. Threads and tasks have rounds of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from operator_lib.trace.dag import Node
from operator_lib.trace.lit.shape import Shape, Way


@dataclass(slots=True)
class _Round:
    number: int
    last: Node
    inner: str | None
    """The loop inside of this one in which the last call was made."""
    loops: dict[str, _Loop] = field(default_factory=dict[str, "_Loop"])


@dataclass(slots=True)
class _Loop:
    """One entry into a loop."""

    count: int = 0
    rounds: dict[int, _Round] = field(default_factory=dict[int, _Round])
    """By thread or task."""
    latest: int = 0


class Rounds:
    """The loops that are being gone through, by the call around them."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self.count: dict[str, int] = {}
        """How many rounds of each loop there were."""
        self._active: dict[int, dict[str, _Loop]] = {}

    def clear(self) -> None:
        """All starts anew; the counts stay."""
        self._active.clear()

    def end(self, call: int) -> None:
        """A call has ended: no more rounds in it."""
        self._active.pop(call, None)

    def start(self, node: Node, way: Way, inside: int, lane: int) -> list[int]:
        """A call of `node` begins, made in the call `inside`. Returns the round of every loop on the way."""
        if not way.loops:
            return []
        loops = self._active.setdefault(inside, {})
        numbers: list[int] = []
        inner = [*(loop for loop, _ in way.loops[1:]), None]
        for (loop, floating), deeper in zip(way.loops, inner, strict=True):
            entry = loops.setdefault(loop, _Loop())
            current = entry.rounds.get(lane)
            if current is None and entry.rounds and deeper is not None:
                # A new thread or task is of the innermost loop, and of whatever round the others are in.
                current = entry.rounds[lane] = entry.rounds[entry.latest]
            elif current is None or not (floating or self._goes_on(current, node, deeper)):
                entry.count += 1
                self.count[loop] = self.count.get(loop, 0) + 1
                current = entry.rounds[lane] = _Round(entry.count, node, deeper)
            current.last, current.inner = node, deeper
            entry.latest = lane
            numbers.append(current.number)
            loops = current.loops
        return numbers

    def _goes_on(self, current: _Round, node: Node, inner: str | None) -> bool:
        """Whether `node` may follow in the same round: further down, or in the next round of the same loop inside."""
        if inner is not None and inner == current.inner:
            return True
        rank, last = self._shape.rank, current.last
        return rank[last.id] < rank[node.id] and not self._shape.exclusive(last, node)
