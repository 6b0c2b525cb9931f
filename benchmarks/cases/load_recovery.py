"""kill -9 of a worker with 1,000 runs waiting and 20 going on: from its death to the first run that ends after it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any

from benchmarks import load, project, workers
from benchmarks.case import Round, Sample

SOURCE = """
import time
from operator_lib import operator

@operator
def naps(number):
    time.sleep(0.2)
    return number
"""
RUNNING = 20
OPTIONS = {"max_runs": str(RUNNING)}


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    from operator_lib.client import connect, inventory

    waiting = 20 if quick else 1_000
    with workers.local(**OPTIONS) as local, project.module(SOURCE) as user, ThreadPoolExecutor(8) as pool:
        job = user.naps.deploy("naps")
        runs = list[Any]()

        def one() -> Sample:
            # Topped up: what is left of the round before waits still.
            missing = waiting + RUNNING - sum(not run.done() for run in runs)
            runs.extend(pool.map(job.submit, range(len(runs), len(runs) + missing)))
            load.until(lambda: inventory.worker(connect.connect()).running == RUNNING, f"{RUNNING} runs at work")
            left = [run for run in runs if not run.done()]
            begun = time.perf_counter()
            workers.kill(local.home)
            ready = workers.start(local.home, **OPTIONS)
            wait(left, load.PATIENCE, FIRST_COMPLETED)
            taken = time.perf_counter() - begun
            print(f"ready after {ready:.2f} s, the first run over after {taken:.2f} s", flush=True)
            return Sample(taken)

        yield one
        assert not wait(runs, 2 * load.PATIENCE).not_done, "a run was lost"
        over = [run.exception() for run in runs]
        assert all(error is None or "worker" in str(error) for error in over), over
        assert all(run.result() == number for number, run in enumerate(runs) if over[number] is None)


CASE = load.case("load_recovery", "kill -9 of the worker, 1,000 runs waiting: to the next that ends", "s", 2, rounds)
