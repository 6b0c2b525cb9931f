"""200 runs at once, each in a process of its own: until all of them are at work; then all are cancelled."""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
from collections.abc import Generator
from concurrent.futures import wait
from pathlib import Path

from benchmarks import load, project, workers
from benchmarks.case import Round, Sample

SOURCE = """
import os, time
from pathlib import Path
from operator_lib import operator

@operator
def sleeps(folder):
    Path(folder, str(os.getpid())).touch()
    time.sleep(600)
"""


def own(pid: int) -> float:
    """MB of a process that it shares with no other."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    count = 10 if quick else 200
    with workers.local(max_runs=str(count)), project.module(SOURCE) as user:
        job = user.sleeps.deploy("sleeps")

        def one() -> Sample:
            with tempfile.TemporaryDirectory(prefix="operator-lib-benchmark-") as folder:
                begun = time.perf_counter()
                runs = [job.submit(folder) for _ in range(count)]
                load.until(lambda: len(list(Path(folder).iterdir())) == count, f"{count} runs at work")
                taken = time.perf_counter() - begun
                pids = [int(path.name) for path in Path(folder).iterdir()]
                print(f"{statistics.median(own(pid) for pid in pids):.1f} MB a run")
                begun = time.perf_counter()
                for run in runs:
                    run.cancel()
                assert not wait(runs, load.PATIENCE).not_done
                load.until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "no process left")
                print(f"all cancelled and gone after {time.perf_counter() - begun:.1f} s", flush=True)
            return Sample(taken)

        yield one


CASE = load.case("load_concurrent", "200 runs submitted, until all are at work", "s", 20, rounds)
