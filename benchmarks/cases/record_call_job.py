"""A call of an operator in a run on a worker, told to its history, beside the same call there while nothing listens."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from benchmarks import project, workers
from benchmarks.case import Case, Round, Sample

SOURCE = """
import statistics, timeit
from operator_lib import Operator
from operator_lib.engine import record

class Leaf(Operator):
    def forward(self, x):
        return x

class Timed(Operator):
    def __init__(self):
        self.leaf = Leaf()

    def calls(self, n):
        leaf = self.leaf
        for i in range(n):
            leaf(i)

    # `told` is how many of the calls are told in full, one by one.
    def forward(self, told):
        self.calls(1)  # names and places are looked up once
        listened = 1e6 * timeit.timeit(lambda: self.calls(told), number=1) / told
        record.unlisten()
        plain = statistics.median(1e6 * timeit.timeit(lambda: self.calls(told), number=1) / told for _ in range(5))
        record.listen()
        return listened, plain
"""


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    with workers.local(), project.module(SOURCE) as user:
        job = user.Timed().deploy("timed")
        yield lambda: Sample(*job.submit(900).result())


CASE = Case(
    name="record_call_job",
    what="op(x) in a run on a worker",
    unit="µs",
    beside="not recorded",
    goal_text="at most 10 µs more",
    limit=10.0,
    rounds=rounds,
)
