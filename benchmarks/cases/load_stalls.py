"""100,000 calls of a serving from 32 threads: the slowest one of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor

from benchmarks import load, project, workers
from benchmarks.case import Round, Sample, seconds
from benchmarks.cases.deploy_serving import SOURCE

CALLERS = 32


def slowest(call: Callable[[int], object], count: int) -> float:
    """Seconds."""

    def checked(number: int) -> None:
        assert call(number) == number

    return max(seconds(lambda number=number: checked(number)) for number in range(count))


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    count = (320 if quick else 100_000) // CALLERS
    with workers.local(), project.module(SOURCE) as user, ThreadPoolExecutor(CALLERS) as pool:
        remote = user.Subject.deploy("echo")
        yield lambda: Sample(1e3 * max(pool.map(lambda _: slowest(remote, count), range(CALLERS))))


CASE = load.case("load_stalls", "the slowest of 100,000 calls of a serving, 32 callers", "ms", 1_000, rounds)
