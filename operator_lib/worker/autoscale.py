"""How many replicas a serving should have: as many as its calls need now, but no fewer than lately."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from operator_lib.options import Options
from operator_lib.wire.proto import serving_pb2 as pb

# Seconds that a call may expect to wait before another replica is started for it.
WAIT = 0.25


@dataclass(frozen=True, slots=True)
class Demand:
    """What the replicas of a serving have to do, all together."""

    calls: int
    """That wait or are being carried out."""
    waiting: int
    seconds: float
    """That one of them takes."""
    ended: int = 0
    """Calls that have ended since the last look."""


def needed(demand: Demand, at_once: int) -> int:
    """Replicas that keep the wait short. One more never helps when there is no call for it.

    Args:
        at_once: calls that one replica carries out at the same time.

    >>> needed(Demand(calls=32, waiting=31, seconds=0.001), 1)
    1
    >>> needed(Demand(calls=8, waiting=7, seconds=0.5), 1), needed(Demand(calls=8, waiting=0, seconds=9.0), 4)
    (8, 2)
    """
    if not demand.waiting:
        return math.ceil(demand.calls / at_once)
    return math.ceil(min(demand.calls, demand.calls * demand.seconds / WAIT) / at_once)


class Scale:
    """The number of replicas of one serving over time: up at once, down when none was needed for a while."""

    def __init__(self, options: Options, least: int) -> None:
        self.least, self.most = least, options.max_replicas
        batch = options.batch.max_size if options.batch is not None else 1
        self._at_once = options.concurrency * batch
        self._window = options.scaledown_window
        self._lately: deque[tuple[float, int]] = deque()
        self._before: dict[str, tuple[int, float]] = {}
        self._seconds = 0.0

    def demand(self, loads: Sequence[tuple[str, pb.LoadReply]]) -> Demand:
        """Of the replicas with these ids."""
        calls = waiting = ended = 0
        worked = oldest = 0.0
        before, self._before = self._before, {}
        for name, load in loads:
            calls += load.waiting + load.running
            waiting += load.waiting
            oldest = max(oldest, load.oldest)
            done = sum(method.calls for method in load.methods)
            was = before.get(name, (0, 0.0))
            ended, worked = ended + done - was[0], worked + load.worked - was[1]
            self._before[name] = done, load.worked
        if ended:
            self._seconds = worked / ended
        # Before any has ended the one that goes on tells.
        return Demand(calls, waiting, self._seconds if ended else max(self._seconds, oldest), ended)

    def want(self, loads: Sequence[tuple[str, pb.LoadReply]], callers: int) -> int:
        """Replicas from now on; so many callers wait for one."""
        now = time.monotonic()
        demand = self.demand(loads)
        self._lately.append((now, max(needed(demand, self._at_once), min(1, demand.ended + callers))))
        while self._lately[0][0] < now - self._window:
            self._lately.popleft()
        return min(self.most, max(self.least, *(count for _, count in self._lately)))


def excess(loads: Sequence[pb.LoadReply], fresh: int) -> list[int]:
    """How many waiting calls each should give up, so that all have the same with so many `fresh` ones.

    >>> excess([pb.LoadReply(waiting=9), pb.LoadReply(waiting=1)], 3)
    [7, 0]
    """
    share = math.ceil(sum(load.waiting for load in loads) / (len(loads) + fresh))
    return [max(0, load.waiting - share) for load in loads]
