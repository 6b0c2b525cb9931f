"""A call of 1 KB to a serving that lives on a Ray cluster, beside one that the local executor has started."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

from benchmarks import project, workers
from benchmarks.case import Case, Round, alternate, seconds
from benchmarks.cases.deploy_serving import SOURCE

CALLS = 200


def deployed(user: Any, name: str) -> Any:
    """The serving on the worker that is there now, called once."""
    remote = user.Subject.deploy(name)
    remote("x")
    return remote


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    payload, calls = "x" * 1024, CALLS // (10 if quick else 1)

    def microseconds(remote: Any) -> float:
        return 1e6 * sorted(seconds(lambda: remote(payload)) for _ in range(calls))[calls // 2]

    with project.module(SOURCE) as user, workers.local(executor="ray"):
        ours = deployed(user, "on-ray")
        with workers.local():
            peer = deployed(user, "here")
            yield alternate(lambda: microseconds(ours), lambda: microseconds(peer), times=2 if quick else 5)


CASE = Case(
    name="ray_serving",
    what="call to a serving on a Ray cluster, 1 KB, median",
    unit="µs",
    beside="the local executor",
    goal_text="at most 1.2 ×",
    goal=1.2,
    rounds=rounds,
    needs={"ray": "ray>=2.50"},
)
