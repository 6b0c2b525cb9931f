"""``op.dag()`` for 50 operators in 2,000 lines, asked for again."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from benchmarks import bench_dag
from benchmarks.case import Case, Round, Sample


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    with bench_dag.project() as made:
        yield lambda: Sample(made.warm())


CASE = Case(
    name="dag_warm",
    what="op.dag(), 50 operators, 2,000 lines, warm",
    unit="ms",
    beside="limit 5 ms",
    goal_text="at most 5 ms",
    limit=5.0,
    rounds=rounds,
)
