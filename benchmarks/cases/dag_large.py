"""``op.dag()`` for 200 operators in 20,000 lines, nothing cached, beside ``ast.parse`` of the same files."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from benchmarks import bench_dag
from benchmarks.case import Case, Round, Sample


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    with bench_dag.project(20, 2_000) if quick else bench_dag.project(200, 20_000) as made:
        yield lambda: Sample(made.cold(), made.parse())


CASE = Case(
    name="dag_large",
    what="op.dag(), 200 operators, 20,000 lines, cold",
    unit="ms",
    beside="ast.parse",
    goal_text="at most 10 ×",
    goal=10.0,
    rounds=rounds,
)
