"""What servings did of late, step by step: numbers to draw. Kept in memory, for an hour."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections import Counter, deque
from dataclasses import dataclass, field

from operator_lib.engine import latency
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.worker.servings import Servings

log = logging.getLogger("operator_lib.worker")

# Seconds between two points, where nobody looks; and at least, where somebody does.
STEP, SHORTEST = 5.0, 0.9
# Points of one serving: an hour of them.
KEPT = 720


@dataclass(frozen=True, slots=True)
class Point:
    """One step. Counts are of the step, not since the start; times are in milliseconds, memory in bytes."""

    t: float
    seconds: float
    calls: int
    errors: int
    p50_ms: float
    p99_ms: float
    batches: int
    batched: int
    """Calls in those batches."""
    running: int
    waiting: int
    memory: int
    ready: int
    wanted: int


@dataclass(slots=True)
class _Trail:
    """One serving."""

    last: float
    points: deque[Point] = field(default_factory=lambda: deque[Point](maxlen=KEPT))
    loads: dict[str, pb.LoadReply] = field(default_factory=dict[str, pb.LoadReply])


class Pulse:
    """Looks at all servings now and then."""

    def __init__(self, servings: Servings) -> None:
        self._servings = servings
        self._trails: dict[str, _Trail] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def look(self, name: str) -> None:
        """A point of this moment, where the last one is old enough."""
        trail = self._trails.get(name)
        if trail is None or time.time() - trail.last >= SHORTEST:
            await self._servings.refresh(name)
            self._take(name, time.time())

    def points(self, name: str, since: float = 0.0) -> list[Point]:
        """The oldest first; those after `since` (seconds since the epoch)."""
        trail = self._trails.get(name)
        return [point for point in trail.points if point.t > since] if trail is not None else []

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(STEP)
            try:
                await self._servings.refresh()
                now = time.time()
                for name in list(self._servings.by_name):
                    if now - self._trails.get(name, _Trail(0.0)).last >= SHORTEST:
                        self._take(name, now)
                for gone in self._trails.keys() - self._servings.by_name.keys():
                    del self._trails[gone]
            except Exception:
                log.exception("worker: looking at servings")

    def _take(self, name: str, now: float) -> None:
        serving = self._servings.by_name.get(name)
        if serving is None:
            return
        replicas = self._servings.replicas(name)
        first = name not in self._trails
        trail = self._trails.setdefault(name, _Trail(now))
        loads = {replica.id: replica.load for replica in replicas}
        if not first:
            counts, latencies = _sum(trail.loads, loads)
            trail.points.append(
                Point(
                    t=now,
                    seconds=round(now - trail.last, 3),
                    calls=counts["calls"],
                    errors=counts["errors"],
                    p50_ms=round(1e3 * latency.percentile(latencies, 0.5), 3),
                    p99_ms=round(1e3 * latency.percentile(latencies, 0.99), 3),
                    batches=counts["batches"],
                    batched=counts["batched"],
                    running=sum(load.running for load in loads.values()),
                    waiting=sum(load.waiting for load in loads.values()),
                    memory=sum(load.memory for load in loads.values()),
                    ready=len(serving.ready()),
                    wanted=serving.wanted,
                )
            )
        trail.last, trail.loads = now, loads


def _sum(before: dict[str, pb.LoadReply], after: dict[str, pb.LoadReply]) -> tuple[Counter[str], Counter[int]]:
    """What was done between: counts, and how many calls by time."""
    counts, latencies = Counter[str](), Counter[int]()
    for id, load in after.items():
        old = before.get(id) or pb.LoadReply()
        for sign, each in ((1, load), (-1, old)):
            for method in each.methods:
                counts["calls"] += sign * method.calls
                counts["errors"] += sign * method.errors
                for step, count in method.latencies.items():
                    latencies[step] += sign * count
            if each.batches_json:
                told = json.loads(each.batches_json)
                counts["batches"] += sign * told["batches"]
                counts["batched"] += sign * told["calls"]
    return +counts, +latencies
