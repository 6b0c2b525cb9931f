"""A step of the machine on NumPy when few lanes take part: what each block costs at least."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from benchmarks.case import Case, Round, Sample, seconds


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    from benchmarks.peers import lanes as programs
    from operator_lib.autobatch import Context

    columns = programs.inputs(programs.fib, 10 if quick else 100)
    batched = Context(strategy="program_counter").batch(programs.fib)
    batched(*columns)

    def one() -> Sample:
        taken = min(seconds(lambda: batched(*columns)) for _ in range(3))
        return Sample(1e6 * taken / batched.last_stats.steps)

    yield one


CASE = Case(
    name="autobatch_block",
    what="one block of Fibonacci, 100 examples, NumPy",
    unit="µs",
    beside="5 µs",
    goal_text="at most 5 µs",
    rounds=rounds,
    limit=5.0,
    needs={"numpy": "numpy>=2.2"},
)
