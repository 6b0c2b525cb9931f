"""Runs that do nothing, each in a process of its own, submitted by 8 threads: ended a second. None is lost."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

from benchmarks import load, project, workers
from benchmarks.case import Round, Sample, seconds

SOURCE = """
from operator_lib import operator

@operator
def same(number):
    return number
"""
CALLERS = 8


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    count = 20 if quick else 300
    with workers.local(), project.module(SOURCE) as user, ThreadPoolExecutor(CALLERS) as pool:
        job = user.same.deploy("same")

        def run_all() -> None:
            assert [run.result() for run in pool.map(job.submit, range(count))] == list(range(count))

        yield lambda: Sample(count / seconds(run_all))


CASE = load.case("load_runs", "empty runs, submit to result, 8 callers", "/s", 20, rounds, better="higher")
