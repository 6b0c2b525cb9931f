"""A call of an operator while it is recorded, beside the same call while nothing listens."""

from __future__ import annotations

import contextlib
import timeit
from collections.abc import Callable, Generator
from typing import Any

from benchmarks.case import Case, Round, alternate


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    from operator_lib import Operator, record

    class Leaf(Operator):
        def forward(self, x: int) -> int:
            return x

    class Loop(Operator):
        def __init__(self) -> None:
            self.leaf = Leaf()

        def forward(self, calls: int) -> None:
            leaf = self.leaf
            for i in range(calls):
                leaf(i)

    # So few that every one of them is told in full.
    calls, op = 900, Loop()

    def per_call(around: Callable[[], Any]) -> Callable[[], float]:
        def one() -> float:
            with around():
                op(1)  # names and places are looked up once
                return 1e6 * timeit.timeit(lambda: op(calls), number=1) / calls

        return one

    yield alternate(per_call(record), per_call(contextlib.nullcontext), times=1 if quick else 25)


CASE = Case(
    name="record_call",
    what="op(x) under record()",
    unit="µs",
    beside="not recorded",
    goal_text="at most 10 µs more",
    limit=10.0,
    rounds=rounds,
)
