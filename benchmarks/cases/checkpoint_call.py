"""A call of a child in a run on a worker: told to the history, and its value stored for when the run is resumed."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from benchmarks import project, workers
from benchmarks.case import Case, Round, Sample

SOURCE = """
import gc, time
from operator_lib import Operator
from operator_lib.engine import checkpoints, record

class Leaf(Operator):
    def forward(self, x):
        return x

class Timed(Operator):
    def __init__(self):
        self.leaf = Leaf()

    # So few calls that each of them is told, in turns of which the fastest counts: others want the processor too.
    def forward(self, turns=9, calls=100):
        leaf, found = self.leaf, ([], [])
        gc.disable()
        book = checkpoints.book
        for listening in (True, False):
            if not listening:
                record.unlisten()
                checkpoints.book = None
            for turn in range(turns + 1):  # names and places are looked up in the first
                begun = time.perf_counter()
                for i in range(calls):
                    leaf(i)
                found[not listening].append(1e6 * (time.perf_counter() - begun) / calls)
        record.listen()
        checkpoints.book = book
        return [min(turns[1:]) for turns in found]
"""


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    with workers.local(), project.module(SOURCE) as user:
        job = user.Timed().deploy("timed")
        yield lambda: Sample(*job.submit().result())


CASE = Case(
    name="checkpoint_call",
    what="op(x) of a child in a run, its value stored",
    unit="µs",
    beside="neither recorded nor stored",
    goal_text="at most 100 µs more",
    limit=100.0,
    rounds=rounds,
)
