"""Runs that have to wait: how many a second are accepted, each stored before its ``submit`` returns."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

from benchmarks import project, workers
from benchmarks.case import Case, Round, Sample, seconds

SOURCE = """
import time
from operator_lib import operator

@operator
def waits(number):
    time.sleep(600)
"""
CALLERS = 8


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    count = 40 if quick else 1000
    with workers.local(max_runs="1") as local, project.module(SOURCE) as user, ThreadPoolExecutor(CALLERS) as pool:
        job = user.waits.deploy("waits")
        job.submit(0)  # occupies the one place

        def one() -> Sample:
            spent = seconds(lambda: list(pool.map(job.submit, range(count))))
            return Sample(count / spent)

        assert local.pid
        yield one


CASE = Case(
    name="queue_runs",
    what="queued runs accepted a second, 8 callers",
    unit="/s",
    beside="limit",
    goal_text="at least 500",
    goal=1.0,
    better="higher",
    limit=500.0,
    rounds=rounds,
)
