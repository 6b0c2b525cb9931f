"""One caller, 1 KB there and back: a call to a serving, beside a raw unary grpcio echo."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable, Generator
from functools import partial

from benchmarks import project, workers
from benchmarks.case import Case, Round, alternate, seconds
from benchmarks.cases.deploy_serving import SOURCE
from benchmarks.peers.grpc_echo import echo

SIZE = 1024


@contextlib.contextmanager
def callers() -> Generator[tuple[Callable[[], object], Callable[[], object]]]:
    """A call to a serving that gives back its argument, and one to the raw echo."""
    with workers.local(), project.module(SOURCE) as user, echo() as raw:
        yield partial(user.Subject.deploy("echo"), "x" * SIZE), partial(raw, b"x" * SIZE)


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    calls = 20 if quick else 200

    def p50(call: Callable[[], object]) -> float:
        return 1e6 * statistics.median(seconds(call) for _ in range(calls))

    with callers() as (ours, peer):
        yield alternate(lambda: p50(ours), lambda: p50(peer), times=1 if quick else 10)


CASE = Case(
    name="unary_latency",
    what="call to a serving, 1 KB, p50, 1 caller",
    unit="µs",
    beside="raw grpcio unary echo",
    goal_text="at most 0.8 ×",
    goal=0.8,
    rounds=rounds,
)
