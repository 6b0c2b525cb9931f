"""256 MB as the argument of a run and back as its result, beside writing as much to the disk and flushing it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Generator
from pathlib import Path

from benchmarks import load, project, workers
from benchmarks.case import Case, Round, alternate, seconds

SOURCE = """
from operator_lib import operator

@operator
def same(data):
    return data
"""


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    from operator_lib.client import connect, inventory

    data = os.urandom((1 if quick else 256) << 20)
    with workers.local() as local, project.module(SOURCE) as user:
        job = user.same.deploy("same")
        worker = inventory.worker(connect.connect()).pid

        def there_and_back() -> None:
            run = job.submit(data)
            assert run.result() == data

        def disk() -> None:
            for _ in range(2):
                with tempfile.NamedTemporaryFile(dir=Path(local.home)) as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())

        def ours() -> float:
            before = load.megabytes(worker)
            rate = 2 * len(data) / seconds(there_and_back) / (1 << 20)
            assert load.megabytes(worker) - before < 64, "the worker held what passed through it"
            return rate

        yield alternate(ours, lambda: 2 * len(data) / seconds(disk) / (1 << 20))


CASE = Case(
    name="load_payload",
    what="256 MB to a run and back",
    unit="MB/s",
    beside="written to the disk and flushed",
    goal_text="at least 0.8 ×",
    goal=0.8,
    better="higher",
    rounds=rounds,
    group="load",
)
