"""How many workers and databases a number of machines needs, and how long runs wait then."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

from benchmarks.scaling.costs import Costs
from benchmarks.scaling.database import Keeping
from benchmarks.scaling.model import Found, Rates, Work, simulate

MACHINES = (1, 10, 100, 1_000, 10_000)
LENGTHS = (10.0, 60.0, 600.0)
# Share of a worker's core, of a database's time, that is to be used: beyond it, queues grow.
FULL = 0.7


def rates(costs: Costs, keeping: Keeping) -> Rates:
    """What the simulation is given. Half of what a run costs a worker comes before it, half after."""
    half = costs.carry / 2
    return Rates(costs.accept, half, half, costs.line, costs.going, keeping.commit, keeping.row)


def needed(work: Work, rates: Rates) -> Work:
    """The same with as many workers and databases as it takes."""
    workers = math.ceil(work.offered * rates.worker(work) / FULL)
    databases = math.ceil(work.offered * rates.database / FULL)
    return dataclasses.replace(work, workers=max(1, workers), databases=max(1, databases))


def most(work: Work, rates: Rates) -> float:
    """Runs a second that its workers and databases can take."""
    return FULL * min(work.workers / rates.worker(work), work.databases / rates.database)


def all_sizes(rates: Rates, runs: int = 20_000) -> Iterator[Found]:
    """The simulation at every size, each with what it needs."""
    for length in LENGTHS:
        for machines in MACHINES:
            yield simulate(needed(Work(machines, 1, 1, length), rates), rates, runs)
