"""20 runs that print 100 lines a second each, and 50 readers that follow them: how late a line comes, p99."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks import load, project, workers
from benchmarks.case import Round, Sample

SOURCE = """
import time
from operator_lib import operator

@operator
def ticks(count, rate):
    begun = time.monotonic()
    for number in range(count):
        print(f"{number} {time.time():.6f}", flush=True)
        time.sleep(max(0.0, begun + (number + 1) / rate - time.monotonic()))
"""
RUNS, READERS, RATE = 20, 50, 100


def follow(run: Any, count: int) -> list[float]:
    """How late each line came, in ms; all of them, in order."""
    late: list[float] = []
    for number, line in enumerate(run.logs(follow=True)):
        said, at = line.split()
        assert int(said) == number
        late.append(1e3 * (time.time() - float(at)))
    assert len(late) == count
    return late


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    count = 20 if quick else 5 * RATE
    with workers.local(max_runs=str(RUNS)), project.module(SOURCE) as user, ThreadPoolExecutor(READERS) as pool:
        job = user.ticks.deploy("ticks")

        def one() -> Sample:
            runs = [job.submit(count, RATE) for _ in range(RUNS)]
            late = list(pool.map(lambda number: follow(runs[number % RUNS], count), range(READERS)))
            return Sample(load.p99([one for several in late for one in several]))

        yield one


CASE = load.case("load_followers", "lines of 20 runs to 50 readers, how late, p99", "ms", 250, rounds)
