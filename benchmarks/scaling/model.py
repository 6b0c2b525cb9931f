"""A simulation of runs on many machines: clients, workers, one database, machines; queues in front of each.

A run is accepted by a worker (processor), kept by the database, started by the worker (processor, database), runs on a
machine, says something (processor of the worker), and its end is recorded (processor, database). A database takes
everything that waits into one transaction, as the store does; several divide the deployments among them. Times are
seconds.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked of the system."""

    machines: int
    workers: int
    databases: int
    length: float
    """Mean seconds of a run; exponentially distributed."""
    places: int = 8
    """Runs on a machine at the same time."""
    load: float = 0.8
    """Share of all places that would be taken if nothing stood in the way."""
    lines: float = 20.0
    """That a run prints."""

    @property
    def offered(self) -> float:
        """Runs a second that are submitted."""
        return self.load * self.machines * self.places / self.length


@dataclass(frozen=True, slots=True)
class Rates:
    """What a unit costs, in seconds: made of what `benchmarks.scaling.costs` measures."""

    accept: float
    start: float
    end: float
    line: float
    going: float
    commit: float
    """Seconds of a transaction, however small."""
    row: float
    """Seconds more for each row in it."""

    def worker(self, work: Work) -> float:
        """Processor seconds of a worker for one run."""
        return self.accept + self.start + self.end + self.line * work.lines + self.going * work.length

    @property
    def database(self) -> float:
        """Seconds of a database for one run, where many are under way: it is kept, started, ended."""
        return 3 * self.row


@dataclass(slots=True)
class Found:
    """What came of it."""

    work: Work
    per_second: float
    """Runs that ended."""
    p50: float
    """From submit to start."""
    p99: float
    busy: dict[str, float]
    """Share of the time in which each kind of thing was at work; of several the busiest."""


@dataclass(slots=True)
class _Clock:
    now: float = 0.0
    queue: list[tuple[float, int, Callable[[], None]]] = field(
        default_factory=list[tuple[float, int, Callable[[], None]]]
    )
    number: itertools.count[int] = field(default_factory=itertools.count)

    def at(self, delay: float, do: Callable[[], None]) -> None:
        heapq.heappush(self.queue, (self.now + delay, next(self.number), do))


class Places:
    """So many at a time, in the order in which they came."""

    def __init__(self, clock: _Clock, places: int) -> None:
        self.clock, self.free, self.places = clock, places, places
        self.waiting: deque[tuple[float, Callable[[], None], Callable[[], None] | None]] = deque()
        self.busy = 0.0

    def take(self, seconds: float, then: Callable[[], None], begun: Callable[[], None] | None = None) -> None:
        self.waiting.append((seconds, then, begun))
        self._next()

    def _next(self) -> None:
        while self.free and self.waiting:
            self.free -= 1
            seconds, then, begun = self.waiting.popleft()
            if begun is not None:
                begun()
            self.busy += seconds
            self.clock.at(seconds, lambda then=then: self._done(then))

    def _done(self, then: Callable[[], None]) -> None:
        self.free += 1
        then()
        self._next()

    def share(self) -> float:
        return min(1.0, self.busy / (self.places * self.clock.now)) if self.clock.now else 0.0


class Database:
    """One transaction after another, with all that waits when it begins."""

    def __init__(self, clock: _Clock, rates: Rates) -> None:
        self.clock, self.rates = clock, rates
        self.waiting: list[Callable[[], None]] = []
        self.going = False
        self.busy = 0.0

    def commit(self, then: Callable[[], None]) -> None:
        self.waiting.append(then)
        if not self.going:
            self._begin()

    def _begin(self) -> None:
        taken, self.waiting, self.going = self.waiting, [], True
        self.busy += len(taken) * self.rates.row  # latency alone is no limit: the next one takes more rows
        self.clock.at(self.rates.commit + len(taken) * self.rates.row, lambda: self._done(taken))

    def _done(self, taken: list[Callable[[], None]]) -> None:
        self.going = False
        for then in taken:
            then()
        if self.waiting and not self.going:
            self._begin()

    def share(self) -> float:
        return min(1.0, self.busy / self.clock.now) if self.clock.now else 0.0


def simulate(work: Work, rates: Rates, runs: int = 20_000, seconds: float = 5.0, seed: int = 1) -> Found:
    """At least so many runs, for at least so long. It begins with as many places taken as there should be."""
    chance = random.Random(seed)
    clock = _Clock()
    workers = [Places(clock, 1) for _ in range(work.workers)]
    databases = [Database(clock, rates) for _ in range(work.databases)]
    machines = Places(clock, work.machines * work.places)
    horizon = max(seconds, runs / work.offered)
    waits: list[tuple[float, float]] = []
    ended: list[float] = []
    numbers = itertools.count()

    def arrive() -> None:
        clock.at(chance.expovariate(work.offered), arrive)
        number, came = next(numbers), clock.now
        worker, database = workers[number % work.workers], databases[number % work.databases]

        def kept() -> None:
            worker.take(rates.start, lambda: database.commit(lambda: run(worker, database, came)))

        worker.take(rates.accept, lambda: database.commit(kept))

    def run(worker: Places, database: Database, came: float) -> None:
        length = chance.expovariate(1 / work.length)
        spent = rates.end + rates.line * work.lines + rates.going * length

        def over() -> None:
            worker.take(spent, lambda: database.commit(lambda: ended.append(clock.now)))

        machines.take(length, over, begun=lambda: waits.append((clock.now, clock.now - came)))

    for number in range(int(work.load * work.machines * work.places)):
        run(workers[number % work.workers], databases[number % work.databases], 0.0)
    arrive()
    while clock.queue[0][0] < horizon:
        clock.now, _, do = heapq.heappop(clock.queue)
        do()
    clock.now = horizon
    settled = horizon / 5
    delays = sorted(delay for moment, delay in waits if moment > settled) or [horizon]
    return Found(
        work,
        per_second=sum(moment > settled for moment in ended) / (horizon - settled),
        p50=delays[len(delays) // 2],
        p99=delays[int(0.99 * len(delays))],
        busy={
            "worker": max(each.share() for each in workers),
            "database": max(each.share() for each in databases),
            "machines": machines.share(),
        },
    )
