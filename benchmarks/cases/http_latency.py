"""One caller over HTTP, a JSON object in and a number out: a call to a serving, beside the same in LitServe."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from functools import partial

from benchmarks import project, workers
from benchmarks.case import Case, Round, alternate
from benchmarks.http_load import Load, load
from benchmarks.peers.separate import LITSERVE

SOURCE = """
from operator_lib import operator

@operator(deployment_type="serving")
def double(x: int) -> int:
    return 2 * x
"""
BODY = '{"x": 21}'


@contextlib.contextmanager
def servers() -> Generator[tuple[Callable[..., Load], Callable[..., Load]]]:
    """The load on our serving, and that on LitServe's."""
    with workers.local() as worker, project.module(SOURCE) as user, LITSERVE.running() as ask:
        remote = user.double.deploy("double")
        port = int(worker.url.rpartition(":")[2])
        ours = partial(load, port, "/v1/servings/double", BODY, token=remote.token)
        yield ours, partial(load, int(ask("port")), "/predict", BODY)


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    length = 0.2 if quick else 2.0
    with servers() as (ours, peer):
        yield alternate(lambda: ours(callers=1, length=length).p50, lambda: peer(callers=1, length=length).p50)


CASE = Case(
    name="http_latency",
    what="HTTP JSON call to a serving, p50, 1 caller",
    unit="µs",
    beside="LitServe",
    goal_text="at most 0.25 ×",
    goal=0.25,
    rounds=rounds,
    peer=LITSERVE,
)
