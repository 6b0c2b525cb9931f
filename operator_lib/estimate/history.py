"""What one run tells about times: how long each node took, each time; how often the regions around were entered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from operator_lib.trace.dag import DAG
from operator_lib.trace.lit.state import Call
from operator_lib.trace.overlay import Overlay

T = TypeVar("T")

# Times of one node that are kept of one run.
MOST = 10_000


@dataclass(slots=True)
class Trip:
    """One call of the program, from its begin to its end. Times in seconds."""

    total: float
    nodes: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    """How long each call took, by the node that made it; of many calls that were only counted, their mean, `MOST` times
    at most."""
    calls: dict[str, int] = field(default_factory=dict[str, int])
    """How many there were of each."""
    spent: dict[str, float] = field(default_factory=dict[str, float])
    """How long they took together."""
    counts: dict[str, int] = field(default_factory=dict[str, int])
    """How often each node ran, regions included; of a loop the rounds."""

    def add(self, node: str, count: int, seconds: float) -> None:
        """So many calls of a node, with the time of all of them."""
        known = self.nodes.setdefault(node, [])
        known += [seconds / count] * min(count, max(0, MOST - len(known)))
        self.calls[node] = self.calls.get(node, 0) + count
        self.spent[node] = self.spent.get(node, 0.0) + seconds


@dataclass(slots=True)
class _Span:
    node: str | None
    root: int


class _Reader(Overlay):
    """An overlay that keeps every duration."""

    def __init__(self, dag: DAG) -> None:
        super().__init__(dag)
        self.found: list[Trip] = []
        self._spans: dict[int, _Span] = {}
        self._going: dict[int, Trip] = {}
        self._ids: dict[int, str] = {}
        self._left_out: set[int] = set()

    def _start(self, event: Mapping[str, Any], call: int) -> None:
        super()._start(event, call)
        parent = self._spans.get(int(event.get("parent", 0)))
        known = self.calls[call]
        if known.state is self.root:
            self._going[call] = Trip(0.0)
            self._left_out.discard(call)  # another attempt counts its calls anew
        root = call if known.state is self.root else parent.root if parent is not None else 0
        self._spans[call] = _Span(self._node(known), root)

    def _node(self, known: Call) -> str | None:
        """The node of a call; None for the program itself, and where the graph has none."""
        if not known.placed or known.state is self.root:
            return None
        key = id(known.state)
        if key not in self._ids:
            self._ids.update({id(state): node for node, state in self.states.items()})
        return self._ids.get(key)

    def _end(self, event: Mapping[str, Any], call: int, status: str) -> None:
        super()._end(event, call, status)
        span, spent = self._spans[call], float(event.get("dur", 0.0))
        trip = self._going.get(span.root)
        if trip is None:
            return
        if status == "cached" or (status != "done" and call == span.root):
            self._left_out.add(span.root)  # it failed, or was not carried out: that says nothing about its time
        if call == span.root:
            trip.total = spent
            if call not in self._left_out:
                self.found.append(trip)
        elif span.node is not None:
            trip.add(span.node, 1, spent)

    def _more(self, event: Mapping[str, Any], call: int) -> None:
        super()._more(event, call)
        span, count, spent = self._spans[call], int(event.get("count", 0)), float(event.get("dur", 0.0))
        trip = self._going.get(span.root)
        if trip is not None and span.node is not None and count:
            trip.add(span.node, count, spent)


def trips(dag: DAG, events: Iterable[Mapping[str, Any]]) -> list[Trip]:
    """The calls of the program that came to a good end among the events of a run, laid over `dag`.

    What was taken from a cache or a checkpoint says nothing about how long it takes: such a call is left out.
    """
    reader = _Reader(dag)
    reader.update(events)
    lit = {node.id: node.count for node in reader.dag().nodes}
    share = max(1, len(reader.found))
    for trip in reader.found:
        calls = trip.calls
        # Regions are counted for all of the run: several calls of the program share them evenly.
        regions = {node: count // share for node, count in lit.items() if count and node not in calls}
        trip.counts = (regions if share == 1 else _around(dag, calls, regions)) | calls
    return reader.found


def _around(dag: DAG, calls: Mapping[str, int], regions: Mapping[str, int]) -> dict[str, int]:
    """Of the regions only those that something ran in."""
    inside: set[str] = set()
    for node in calls:
        parent = dag.node(node).parent
        while parent is not None:
            inside.add(parent)
            parent = dag.node(parent).parent
    return {node: max(1, count) for node, count in regions.items() if node in inside}


def onto(trip: Trip, before: DAG, now: DAG) -> Trip:
    """What a run of `before` tells about `now`: the nodes that both have; the time of the others is taken out."""
    there = {node.id for node in now.nodes}
    if there.issuperset(trip.nodes):
        return trip
    total = trip.total
    for id, seconds in trip.spent.items():
        if id not in there and not _inside_of_gone(before, id, there, trip):
            total -= seconds
    kept = Trip(max(0.0, total))
    kept.nodes, kept.calls = _only(there, trip.nodes), _only(there, trip.calls)
    kept.spent, kept.counts = _only(there, trip.spent), _only(there, trip.counts)
    return kept


def _only(nodes: set[str], found: dict[str, T]) -> dict[str, T]:
    return {id: one for id, one in found.items() if id in nodes}


def _inside_of_gone(before: DAG, id: str, there: set[str], trip: Trip) -> bool:
    """Whether the time of a node is part of that of another one that has gone, too."""
    parent = before.node(id).parent
    while parent is not None:
        if parent not in there and parent in trip.nodes:
            return True
        parent = before.node(parent).parent
    return False
