"""``map`` of 1,000 no-ops on a worker, beside a warm ``ProcessPoolExecutor`` that sends one at a time."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Callable, Generator
from concurrent.futures import ProcessPoolExecutor

from benchmarks import project, workers
from benchmarks.case import Case, Round, alternate, seconds

SOURCE = """
from operator_lib import operator

@operator
def same(x):
    return x
"""
CPUS = os.cpu_count() or 1


def same(x: int) -> int:
    return x


@contextlib.contextmanager
def job_map() -> Generator[Callable[[range], list[int]]]:
    """``map`` of a deployed job that gives back its argument."""
    with workers.local(), project.module(SOURCE) as user:
        yield user.same.deploy("same").map


def tasks(quick: bool) -> range:
    return range(100 if quick else 1_000)


def rate(run: Callable[[range], list[int]], inputs: range) -> float:
    """Tasks a second; the results are looked at, so that nobody saves the work."""
    results: list[list[int]] = []
    taken = seconds(lambda: results.append(run(inputs)))
    assert results == [list(inputs)]
    return len(inputs) / taken


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    inputs = tasks(quick)
    # Spawned: this process has threads and gRPC channels, with which forking is unsafe. The pool is warm either way.
    spawn = multiprocessing.get_context("spawn")
    with job_map() as ours, ProcessPoolExecutor(CPUS, mp_context=spawn) as pool:
        yield alternate(
            lambda: rate(ours, inputs),
            lambda: rate(lambda xs: list(pool.map(same, xs, chunksize=1)), inputs),
            times=1 if quick else 3,
        )


CASE = Case(
    name="map_pool",
    what="map of 1,000 no-ops on a worker",
    unit="tasks/s",
    beside="ProcessPoolExecutor, chunks of 1",
    goal_text="at least 10 ×",
    goal=10.0,
    better="higher",
    rounds=rounds,
)
