"""Estimates from the runs that a worker keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from operator_lib.client import inventory
from operator_lib.client.connect import Connection
from operator_lib.client.job import JobHandle
from operator_lib.engine.events import Event
from operator_lib.estimate import Estimate, sources
from operator_lib.trace.dag import DAG

# The last ones that came to a good end.
RUNS = 50
# What an estimate looks at: a run may have printed far more than it did.
KINDS = ("node", "status")


def estimate(handle: JobHandle, history: Iterable[Any] | None, workers: int) -> Estimate:
    """`JobHandle.estimate`."""
    if history is not None:
        sources.check(workers)
        return sources.of(handle.dag(), sources.told(history), workers)
    return of_job(handle._connection, handle._name, handle.dag(), workers=workers)  # pyright: ignore[reportPrivateUsage]


def of_job(connection: Connection, name: str, dag: DAG, *, runs: int = RUNS, workers: int = 2) -> Estimate:
    """Of a program, deployed or not yet, from the last runs of the job `name`, whichever version they ran.

    Raises:
        NotFound: there is no job of that name.
    """
    sources.check(workers)
    return sources.of(dag, _runs(connection, name, runs), workers)


def _runs(connection: Connection, name: str, limit: int) -> Iterator[tuple[DAG, Iterable[Event]]]:
    graphs: dict[int, DAG | None] = {}
    for info in inventory.runs(connection, name, status="COMPLETED", limit=limit):
        if info.version not in graphs:
            graphs[info.version] = inventory.static_dag(connection, name, info.version)
        graph = graphs[info.version]
        if graph is not None:
            yield graph, inventory.events(connection, info.id, kinds=KINDS)
