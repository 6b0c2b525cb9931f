"""A run of 100 ms on a Ray cluster, from ``submit`` to its result, beside a Ray task that does the same there."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator

from benchmarks import project, workers
from benchmarks.case import Case, Round, alternate, seconds
from benchmarks.cases.map_pool import CPUS
from benchmarks.peers.ray_tasks import cluster

SOURCE = """
import time
from operator_lib import operator

@operator
def nap(duration: float) -> float:
    time.sleep(duration)
    return duration
"""
LONG = 0.1


def nap(duration: float) -> float:
    time.sleep(duration)
    return duration


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    with cluster(CPUS) as ray, workers.local(executor="ray"), project.module(SOURCE) as user:
        job = user.nap.deploy("nap")
        task = ray.remote(nap)
        yield alternate(
            lambda: 1e3 * seconds(lambda: job.submit(LONG).result()),
            lambda: 1e3 * seconds(lambda: ray.get(task.remote(LONG))),
            times=2 if quick else 15,
        )


CASE = Case(
    name="ray_run",
    what="run of 100 ms on a Ray cluster, submit to result",
    unit="ms",
    beside="a Ray task",
    goal_text="at most 1.3 ×",
    goal=1.3,
    rounds=rounds,
    needs={"ray": "ray>=2.50"},
)
