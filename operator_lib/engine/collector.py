"""Where calls wait until a batch of them is taken: nobody waits alone, a crowd waits for its last."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")

# Seconds, and share of the time that the last batch took, for which the callers of the last batch are waited for.
REST = 0.001
SHARE = 0.5


@dataclass(slots=True)
class Waiting(Generic[T]):
    """A call that waits. `wanted` says whether somebody still waits for its result."""

    call: T
    kind: Hashable
    wanted: Callable[[], bool] = lambda: True
    since: float = field(default_factory=time.monotonic)


class Collector(Generic[T]):
    """Calls go in one by one, batches of one kind come out, the longest waiting first.

    A batch is taken as soon as somebody is ready to carry it out: what comes meanwhile is the next one. Only when the
    batch before was larger are its callers waited for, who are likely to come again: `max_delay` seconds at most,
    and not longer than half of what that batch took. A single caller is never waited upon.
    """

    def __init__(self, max_size: int, max_delay: float) -> None:
        self.max_size = max_size
        self.max_delay = max_delay
        self.statistics = Statistics(max_size)
        self._kinds: dict[Hashable, deque[Waiting[T]]] = {}
        self._changed = threading.Condition()
        self._crowd = 1  # callers of late
        self._took = 0.0  # seconds, the last batch
        self._closed = False
        self._idle = 0  # threads that wait for a first call

    def put(self, calls: Sequence[Waiting[T]]) -> None:
        """Let them wait; those that come together may leave together."""
        with self._changed:
            for waiting in calls:
                self._kinds.setdefault(waiting.kind, deque()).append(waiting)
            # Who waits for more is not woken up by every single one.
            if self._idle or len(self._kinds) > 1 or self._full(*self._kinds.values()):
                self._changed.notify_all()

    def take(self) -> list[Waiting[T]]:
        """The next batch, waiting for it; empty when the collector was closed and nothing is left."""
        with self._changed:
            while True:
                batch = self._oldest()
                if batch is None:
                    if self._closed:
                        return []
                    self._idle += 1
                    self._changed.wait()
                    self._idle -= 1
                    continue
                left = self._patience(batch)
                if left > 0:
                    self._changed.wait(left)
                elif taken := self._taken(batch):
                    return taken

    def done(self, size: int, took: float) -> None:
        """A batch of that size was carried out, in so many seconds."""
        with self._changed:
            self._crowd = size + sum(map(len, self._kinds.values()))
            self._took = took

    def close(self) -> None:
        """Nothing will come any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        with self._changed:
            return sum(map(len, self._kinds.values()))

    def _oldest(self) -> deque[Waiting[T]] | None:
        for kind in list(self._kinds):
            queue = self._kinds[kind]
            while queue and not queue[0].wanted():
                queue.popleft()
            if not queue:
                del self._kinds[kind]
        return min(self._kinds.values(), key=lambda queue: queue[0].since, default=None)

    def _patience(self, queue: deque[Waiting[T]]) -> float:
        """Seconds for which it is worth waiting for more."""
        if self._closed or len(self._kinds) > 1 or self._full(queue):
            return 0.0
        return queue[0].since + min(self.max_delay, REST + SHARE * self._took) - time.monotonic()

    def _full(self, *queues: deque[Waiting[T]]) -> bool:
        """Whether it has all that are likely to come, or fit."""
        return any(len(queue) >= min(self.max_size, self._crowd) for queue in queues)

    def _taken(self, queue: deque[Waiting[T]]) -> list[Waiting[T]]:
        batch: list[Waiting[T]] = []
        while queue and len(batch) < self.max_size:
            waiting = queue.popleft()
            if waiting.wanted():
                batch.append(waiting)
        if not queue:
            self._kinds = {kind: other for kind, other in self._kinds.items() if other is not queue}
        if batch:
            self.statistics.batch(len(batch), time.monotonic() - batch[0].since)
        return batch


class Statistics:
    """What became of the batches so far. Read by anybody, written by whoever takes batches."""

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._batches = self._calls = 0
        self._sizes: dict[int, int] = {}
        self._waited = self._longest = 0.0

    def batch(self, size: int, waited: float) -> None:
        """One of so many calls was taken, of which the first had waited so long (seconds)."""
        self._batches += 1
        self._calls += size
        self._sizes[size] = self._sizes.get(size, 0) + 1
        self._waited += waited
        self._longest = max(self._longest, waited)

    def to_json(self) -> dict[str, Any]:
        """``batches``, ``calls``, ``sizes`` (how many batches of each size), ``mean_size``, ``occupancy`` (of
        1: the share of places that were taken), ``mean_wait_ms`` and ``max_wait_ms`` of the first call of a batch."""
        batches = max(1, self._batches)
        return {
            "batches": self._batches,
            "calls": self._calls,
            "sizes": {str(size): count for size, count in sorted(self._sizes.copy().items())},
            "mean_size": self._calls / batches,
            "occupancy": self._calls / (batches * self._max_size),
            "mean_wait_ms": 1e3 * self._waited / batches,
            "max_wait_ms": 1e3 * self._longest,
        }
