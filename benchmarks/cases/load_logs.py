"""One run that prints lines of 100 bytes as fast as it can: stored a second, until its last reader has all of them."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from benchmarks import load, project, workers
from benchmarks.case import Round, Sample, seconds

SOURCE = """
from operator_lib import operator

@operator
def prints(count):
    for number in range(count):
        print(f"{number:099}")
"""


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    from operator_lib.client import connect, inventory

    count = 1_000 if quick else 200_000
    with workers.local(), project.module(SOURCE) as user:
        job = user.prints.deploy("prints")
        worker = inventory.worker(connect.connect()).pid

        def one() -> Sample:
            before, run = load.megabytes(worker), job.submit(count)
            taken = seconds(run.result)
            numbers = [int(line) for line in run.logs()]
            assert numbers == list(range(count)), f"{len(numbers):,} of {count:,} lines, or not in order"
            print(f"{load.megabytes(worker) - before:.1f} MB more in the worker", flush=True)
            return Sample(count / taken)

        yield one


CASE = load.case("load_logs", "lines of one run, printed and stored", "/s", 50_000, rounds, better="higher")
