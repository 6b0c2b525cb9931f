"""From nothing, not even a worker, to the first answer over HTTP, beside starting a LitServe server."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator

from benchmarks import project, workers
from benchmarks.case import Case, Round, alternate
from benchmarks.cases.http_latency import BODY, SOURCE
from benchmarks.http_load import load
from benchmarks.peers.separate import LITSERVE


def from_nothing() -> float:
    """Seconds. The programs that wait for the first answer have loaded what they need, on both sides."""
    begun = time.perf_counter()
    with workers.local() as worker, project.module(SOURCE) as user:
        remote = user.double.deploy("double")
        load(int(worker.url.rpartition(":")[2]), "/v1/servings/double", BODY, callers=1, calls=1, token=remote.token)
        return time.perf_counter() - begun


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    with LITSERVE.running() as ask:
        yield alternate(from_nothing, lambda: ask("start"))


CASE = Case(
    name="start_serving",
    what="start of a worker and a serving to its first answer over HTTP",
    unit="s",
    beside="LitServe",
    goal_text="at most 1.0 ×",
    rounds=rounds,
    peer=LITSERVE,
)
