"""Calls over HTTP at half of what a serving can take, at even distances: how much longer the slowest ones take."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from functools import partial

from benchmarks import project, workers
from benchmarks.case import Case, Round, Sample
from benchmarks.cases.http_latency import BODY, SOURCE
from benchmarks.http_load import Load, load

CALLERS = 32


@contextlib.contextmanager
def serving() -> Generator[Callable[..., Load]]:
    """The load on one."""
    with workers.local() as worker, project.module(SOURCE) as user:
        remote = user.double.deploy("double")
        port = int(worker.url.rpartition(":")[2])
        yield partial(load, port, "/v1/servings/double", BODY, token=remote.token, callers=CALLERS)


def slowest(ask: Callable[..., Load], length: float) -> float:
    """p99 over p50 at half of the load that it can take."""
    found = ask(length=length, rate=ask(length=length).per_second / 2)
    return found.p99 / found.p50


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    with serving() as ask:
        yield lambda: Sample(slowest(ask, 0.2 if quick else 2.0))


CASE = Case(
    name="http_p99",
    what="HTTP JSON calls at half of the maximum load: p99 over p50",
    unit="×",
    beside="limit",
    goal_text="at most 3 ×",
    limit=3.0,
    rounds=rounds,
)
