"""``map`` of 1,000 no-ops on a worker, beside as many Ray tasks on a running local cluster."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from benchmarks.case import Case, Round, alternate
from benchmarks.cases.map_pool import CPUS, job_map, rate, same, tasks
from benchmarks.peers.ray_tasks import cluster


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    inputs = tasks(quick)
    with job_map() as ours, cluster(CPUS) as ray:
        remote = ray.remote(same)
        yield alternate(
            lambda: rate(ours, inputs),
            lambda: rate(lambda xs: ray.get([remote.remote(x) for x in xs]), inputs),
            times=1 if quick else 3,
        )


CASE = Case(
    name="map_ray",
    what="map of 1,000 no-ops on a worker",
    unit="tasks/s",
    beside="Ray tasks",
    goal_text="at least 10 ×",
    goal=10.0,
    better="higher",
    rounds=rounds,
    needs={"ray": "ray>=2.40"},
)
