"""The slowest calls at half of what a serving can take, beside those through two processes that do nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from functools import partial

from benchmarks.case import Case, Round, alternate
from benchmarks.cases.http_latency import BODY
from benchmarks.cases.http_p99 import CALLERS, serving, slowest
from benchmarks.http_load import load
from benchmarks.peers import http_proxy


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    length = 0.2 if quick else 2.0
    with serving() as ours, http_proxy.running() as port:
        proxy = partial(load, port, "/", BODY, callers=CALLERS)
        yield alternate(lambda: slowest(ours, length), lambda: slowest(proxy, length))


CASE = Case(
    name="http_p99_proxy",
    what="the same beside a bare proxy: p99 over p50",
    unit="×",
    beside="a bare proxy",
    goal_text="at most 1 ×",
    rounds=rounds,
    needs={"uvloop": "uvloop"},
)
