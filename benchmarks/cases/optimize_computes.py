"""32 independent rounds that compute, on two processes, beside the same loop as it is written."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from benchmarks.case import Case, Round, alternate, seconds

SIZE, ROUNDS = 400_000, 32


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    from operator_lib import Operator, optimize
    from operator_lib.independence import processes

    size = SIZE // 20 if quick else SIZE

    class Work(Operator):
        def forward(self, x: int) -> int:
            total = 0
            for i in range(size):
                total += i * x % 7
            return total

    class Loop(Operator):
        def __init__(self) -> None:
            self.work = Work()

        def forward(self, count: int) -> list[int]:
            return [self.work(x) for x in range(count)]

    op = Loop()
    fast = optimize(op, workers=2)
    assert fast(ROUNDS) == op(ROUNDS)
    yield alternate(lambda: seconds(lambda: fast(ROUNDS)), lambda: seconds(lambda: op(ROUNDS)))
    processes.end()


CASE = Case(
    name="optimize_computes",
    what="32 independent rounds that compute, on 2 processes",
    unit="s",
    beside="the loop as it is written",
    goal_text="at most 0.55 ×",
    goal=0.55,
    rounds=rounds,
)
