"""A worker with 100,000 runs in its queue."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from benchmarks import history, project, workers
from benchmarks.cases.queue_runs import SOURCE

if TYPE_CHECKING:
    from operator_lib.worker import LocalWorker

DEPTH = 100_000
ROOM = {"max_runs": "1", "max_queued": str(2 * DEPTH)}


@contextlib.contextmanager
def long(quick: bool) -> Generator[tuple[LocalWorker, Any]]:
    """The worker, and the job whose runs wait: their rows were copied while no worker ran, which then found them."""
    from operator_lib.client import connect, inventory

    with workers.local(**ROOM) as local, project.module(SOURCE) as user:
        job = user.waits.deploy("waits")
        first, _ = job.submit(0), job.submit(0)  # the first occupies the one place; copies are made of the second
        workers.kill(local.home)
        history.fill(local.home, 1_000 if quick else DEPTH, folders=0, status="PENDING")
        print(f"ready after {workers.start(local.home, **ROOM):.2f} s")
        first.cancel()  # cut off, it would be the last of the queue
        assert inventory.worker(connect.connect()).queued >= (1_000 if quick else DEPTH)
        yield local, job
