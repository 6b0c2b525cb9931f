"""32 callers in one process, 1 KB there and back: calls to a serving, beside a raw unary grpcio echo."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor

from benchmarks.case import Case, Round, alternate
from benchmarks.cases.unary_latency import callers

CALLERS = 32


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    length = 0.1 if quick else 1.5
    with callers() as (ours, peer):
        yield alternate(lambda: per_second(ours, length), lambda: per_second(peer, length))


def per_second(call: Callable[[], object], length: float) -> float:
    """Calls a second over `length` seconds, from the moment all callers are ready."""
    ready = threading.Barrier(CALLERS)

    def work(_: int) -> tuple[int, float, float]:
        ready.wait()
        start = now = time.perf_counter()
        count = 0
        while now - start < length:
            call()
            count += 1
            now = time.perf_counter()
        return count, start, now

    with ThreadPoolExecutor(CALLERS) as pool:
        done = list(pool.map(work, range(CALLERS)))
    return sum(d[0] for d in done) / (max(d[2] for d in done) - min(d[1] for d in done))


CASE = Case(
    name="unary_throughput",
    what="calls to a serving, 1 KB, 32 callers",
    unit="calls/s",
    beside="raw grpcio unary echo",
    goal_text="at least 3 ×",
    goal=3.0,
    better="higher",
    rounds=rounds,
)
