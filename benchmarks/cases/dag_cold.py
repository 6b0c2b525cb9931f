"""``op.dag()`` for 50 operators in 2,000 lines, nothing cached, beside ``ast.parse`` of the same files."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from benchmarks import bench_dag
from benchmarks.case import Case, Round, Sample


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    def one() -> Sample:
        found = bench_dag.measure()
        return Sample(found["cold_ms"], found["parse_ms"])

    yield one


CASE = Case(
    name="dag_cold",
    what="op.dag(), 50 operators, 2,000 lines, cold",
    unit="ms",
    beside="ast.parse",
    goal_text="at most 10 ×",
    goal=10.0,
    rounds=rounds,
)
