"""The first page of each listing, and what is deployed, where 100,000 runs wait: the slowest."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Generator

from benchmarks import load, queues
from benchmarks.case import Round, Sample, seconds


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    from operator_lib.client import connect, inventory

    with queues.long(quick) as (_, job):
        connection = connect.connect()
        asked = {
            "job.runs(100)": lambda: job.runs(100),
            "runs": lambda: inventory.runs(connection, limit=100),
            "runs, PENDING": lambda: inventory.runs(connection, "waits", status="PENDING", limit=100),
            "deployments": lambda: inventory.deployments(connection),
            "worker": lambda: inventory.worker(connection),
        }

        def one() -> Sample:
            spent = {name: statistics.median(1e3 * seconds(ask) for _ in range(9)) for name, ask in asked.items()}
            print(*(f"{name}: {taken:.1f} ms" for name, taken in spent.items()), sep="\n", flush=True)
            return Sample(max(spent.values()))

        yield one


CASE = load.case("load_queue_list", "listing with 100,000 runs in the queue, the slowest", "ms", 50, rounds)
