"""What a call costs more when it is optimized and there is nothing to gain: two small children, one after another."""

from __future__ import annotations

import contextlib
import timeit
from collections.abc import Generator

from benchmarks.case import Case, Round, Sample


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    from operator_lib import Operator, optimize

    class Add(Operator):
        def __init__(self, n: int) -> None:
            self.n = n

        def forward(self, x: int) -> int:
            return x + self.n

    class Chain(Operator):
        def __init__(self) -> None:
            self.a, self.b = Add(1), Add(2)

        def forward(self, x: int) -> int:
            return self.b(self.a(x))

    op = Chain()
    fast = optimize(op)
    calls = 200 if quick else 5_000

    def per_call(target: object) -> float:
        return 1e6 * min(timeit.repeat("target(1)", globals={"target": target}, number=calls, repeat=5)) / calls

    yield lambda: Sample(per_call(fast) - per_call(op))


CASE = Case(
    name="optimize_nothing",
    what="an optimized call with nothing to gain, more than a plain one",
    unit="µs",
    beside="20 µs",
    goal_text="at most 20 µs",
    limit=20.0,
    rounds=rounds,
)
