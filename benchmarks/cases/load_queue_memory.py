"""The memory of a worker that has found 100,000 runs waiting."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from benchmarks import load, queues
from benchmarks.case import Round, Sample


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    from operator_lib.client import connect, inventory

    with queues.long(quick) as (_, job):
        connection = connect.connect()

        def one() -> Sample:
            job.submit(0)
            return Sample(load.megabytes(inventory.worker(connection).pid))

        yield one


CASE = load.case("load_queue_memory", "memory of the worker, 100,000 runs in the queue", "MB", 250, rounds)
