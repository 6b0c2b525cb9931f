"""32 connections over HTTP, a JSON object in and a number out: calls to a serving, beside the same in LitServe."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from benchmarks.case import Case, Round, alternate
from benchmarks.cases.http_latency import servers
from benchmarks.peers.separate import LITSERVE

CALLERS = 32


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    length = 0.2 if quick else 3.0
    with servers() as (ours, peer):
        yield alternate(
            lambda: ours(callers=CALLERS, length=length).per_second,
            lambda: peer(callers=CALLERS, length=length).per_second,
        )


CASE = Case(
    name="http_throughput",
    what="HTTP JSON calls to a serving, 32 callers",
    unit="calls/s",
    beside="LitServe",
    goal_text="at least 8 ×",
    goal=8.0,
    better="higher",
    rounds=rounds,
    peer=LITSERVE,
)
