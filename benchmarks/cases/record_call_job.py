"""A call of an operator in a run on a worker, told to its history, beside the same call there while nothing listens."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from benchmarks import project, workers
from benchmarks.case import Case, Round, Sample

SOURCE = """
import gc, statistics, time
from operator_lib import Operator
from operator_lib.engine import record

class Leaf(Operator):
    def forward(self, x):
        return x

class Timed(Operator):  # its leaf is no child of the root: what calls of it return is not stored
    def __init__(self):
        self.inner = Inner()

    def forward(self):
        return self.inner()

class Inner(Operator):
    def __init__(self):
        self.leaf = Leaf()

    # So few calls that each of them is told, in turns of which the middle one counts: others want the processor too.
    def forward(self, turns=9, calls=100):
        leaf, found = self.leaf, ([], [])
        gc.disable()
        for listening in (True, False):
            if not listening:
                record.unlisten()
            for turn in range(turns + 1):  # names and places are looked up in the first
                begun = time.perf_counter()
                for i in range(calls):
                    leaf(i)
                found[not listening].append(1e6 * (time.perf_counter() - begun) / calls)
        record.listen()
        return [statistics.median(turns[1:]) for turns in found]
"""


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    with workers.local(), project.module(SOURCE) as user:
        job = user.Timed().deploy("timed")
        yield lambda: Sample(*job.submit().result())


CASE = Case(
    name="record_call_job",
    what="op(x) in a run on a worker",
    unit="µs",
    beside="not recorded",
    goal_text="at most 10 µs more",
    limit=10.0,
    rounds=rounds,
)
