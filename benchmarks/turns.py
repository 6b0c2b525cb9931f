"""A call of an operator in a run on a worker, timed there: as in any run, and with nothing told and stored."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from benchmarks import project, workers
from benchmarks.case import Round, Sample

SOURCE = """
import gc, time
from operator_lib import Operator
from operator_lib.engine import checkpoints, record

class Leaf(Operator):
    def forward(self, x):
        return x

class Inner(Operator):
    def __init__(self):
        self.leaf = Leaf()

    # So few calls that each of them is told, in turns of which the fastest counts: others want the processor too.
    def forward(self, turns=9, calls=100):
        leaf, book, fastest = self.leaf, checkpoints.book, []
        gc.disable()
        for usual in (True, False):
            if not usual:
                record.unlisten()
                checkpoints.book = None
            found = []
            for turn in range(turns + 1):  # names and places are looked up in the first
                begun = time.perf_counter()
                for i in range(calls):
                    leaf(i)
                found.append(1e6 * (time.perf_counter() - begun) / calls)
            fastest.append(min(found[1:]))
        record.listen()
        checkpoints.book = book
        return fastest

class Outer(Operator):  # the leaf is no child of the root: what calls of it return is not stored
    def __init__(self):
        self.inner = Inner()

    def forward(self):
        return self.inner()
"""


@contextlib.contextmanager
def rounds(root: str) -> Generator[Round]:
    """µs of a call, in a run of the operator of that name."""
    with workers.local(), project.module(SOURCE) as user:
        job = getattr(user, root)().deploy("timed")
        yield lambda: Sample(*job.submit().result())
