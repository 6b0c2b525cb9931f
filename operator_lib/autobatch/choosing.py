"""``strategy="auto"``: what was fastest for batches of about this size."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from operator_lib.autobatch.compiled import Compiled

# How often each way is tried for a size before the fastest is kept.
TRIES = 2
# A way that took so many times as long as another for a smaller batch is not tried again for the size above.
HOPELESS = 8.0
# A way that took so many times as long as the best is not tried twice.
SLOW = 2.0
# An operation on arrays costs what Python needs for some dozens of numbers: below that many lanes it cannot win.
BREAK_EVEN = 32


@dataclass(slots=True)
class Size:
    """Batches whose sizes have the same number of bits."""

    tries: dict[str, int] = field(default_factory=dict[str, int])
    best: dict[str, float] = field(default_factory=dict[str, float])
    """Seconds per lane."""
    settled: str | None = None


class Chooser:
    """Tries what a program can be run with, and keeps the fastest for each size of batch."""

    def __init__(self, compiled: Compiled) -> None:
        from operator_lib.autobatch.looping import loop_of
        from operator_lib.autobatch.native.run import native_of

        self._sizes: dict[int, Size] = {}
        self._native = native_of(compiled) is not None
        self._ways = ["program_counter", "stackless"]
        self._loop = 0
        """Batches below this size are not worth an operation on arrays."""
        if loop_of(compiled) is not None:
            self._ways.insert(0, "loop")
            numbers = not any(lane.type.shape for typed in compiled.functions for lane in typed.parameters)
            self._loop = BREAK_EVEN if numbers else 2

    def choose(self, count: int, *, native: bool) -> tuple[str, bool]:
        """The strategy for so many lanes, and whether to tell how long it took."""
        if native and self._native:
            return "native", False
        bits = count.bit_length()
        size = self._sizes.get(bits)
        if size is None:
            size = self._sizes[bits] = Size()
        if size.settled is not None:
            return size.settled, False
        for way in self._worth_trying(count, size):
            if size.tries.get(way, 0) < TRIES and not self._hopeless(bits, way):
                return way, True
        size.settled = min(size.best, key=size.best.__getitem__)
        return size.settled, False

    def learn(self, ran: str, asked: str, count: int, seconds: float) -> None:
        """A run of `asked` (which may have ended as another) took this long."""
        size = self._sizes[count.bit_length()]
        size.tries[asked] = size.tries.get(asked, 0) + 1
        per_lane = seconds / max(count, 1) if ran == asked else float("inf")
        size.best[asked] = min(size.best.get(asked, float("inf")), per_lane)

    def _worth_trying(self, count: int, size: Size) -> list[str]:
        if self._loop and count < self._loop and size.best.get("loop", 0.0) < float("inf"):
            return ["loop"]
        least = min(size.best.values(), default=float("inf"))
        return [way for way in self._ways if way not in size.best or size.best[way] <= SLOW * least]

    def _hopeless(self, bits: int, way: str) -> bool:
        """Far slower for a neighbouring size on the side where it is better, or for this size already."""
        larger_is_better = way != "loop"
        for other, size in self._sizes.items():
            if way not in size.best or (other < bits if larger_is_better else other > bits):
                continue
            if size.best[way] > HOPELESS * min(size.best.values()):
                return True
        return False
