"""A local worker with a new home, from nothing to ready."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator

from benchmarks import workers
from benchmarks.case import Case, Round, Sample


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    def one() -> Sample:
        start = time.perf_counter()
        with workers.local():
            return Sample(time.perf_counter() - start)

    yield one


CASE = Case(
    name="worker_start",
    what="local worker, start to ready",
    unit="s",
    beside="limit 1.0 s",
    goal_text="at most 1.0 s",
    limit=1.0,
    rounds=rounds,
)
