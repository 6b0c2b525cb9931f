"""The runs that an estimate of an operator is made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import MethodType
from typing import Any

from operator_lib.engine import recording
from operator_lib.engine.events import Event
from operator_lib.estimate.estimate import Estimate, made
from operator_lib.estimate.history import Trip, onto, trips
from operator_lib.trace import build
from operator_lib.trace.dag import DAG

# Workers that are looked at.
MOST = 10_000


def estimate(op: Any, history: Iterable[Any] | None, workers: int) -> Estimate:
    """`Operator.estimate` of an operator that lives here."""
    check(workers)
    dag = build(op)
    if history is None:
        found = [trip for events in recording.recent(op) for trip in trips(dag, events)]
        return made(dag, found, workers=workers)
    return of(dag, told(history), workers)


def told(history: Iterable[Any]) -> Iterator[tuple[DAG, Iterable[Event]]]:
    """Graph and events of recordings and runs."""
    for run in history:
        events: Any = run.events
        found: Any = events(follow=False) if isinstance(events, MethodType) else events
        yield run.dag(), found


def of(dag: DAG, runs: Iterable[tuple[DAG, Iterable[Event]]], workers: int) -> Estimate:
    """From runs of this graph, or of earlier ones: each with the graph that it ran."""
    found: list[Trip] = []
    changed: set[str] = set()
    compared: set[str] = set()
    for before, events in runs:
        found += [onto(trip, before, dag) for trip in trips(before, events)]
        key = "".join(node.id + node.code for node in before.nodes)
        if key not in compared:
            compared.add(key)
            changed.update(change.after.id for change in before.diff(dag).changed)
    return made(dag, found, frozenset(changed), workers)


def check(workers: int) -> None:
    """
    Raises:
        ValueError: `workers` is no number of workers.
    """
    if isinstance(workers, bool) or not 1 <= workers <= MOST:
        raise ValueError(f"workers: must be an int from 1 to {MOST:,}, got {workers!r}")
