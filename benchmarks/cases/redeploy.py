"""``deploy`` of a project in which nothing has changed."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from benchmarks import project, workers
from benchmarks.case import Case, Round, Sample, seconds
from benchmarks.cases.deploy_serving import SOURCE


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    with workers.local(), project.module(SOURCE) as user:
        user.Subject.deploy("redeploy")
        yield lambda: Sample(1e3 * seconds(lambda: user.Subject.deploy("redeploy")))


CASE = Case(
    name="redeploy",
    what="deploy again, nothing changed",
    unit="ms",
    beside="limit 0.15 s",
    goal_text="at most 0.15 s",
    limit=150.0,
    rounds=rounds,
)
