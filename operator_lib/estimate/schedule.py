"""Which calls have to wait for which: the longest chain, and how much sooner it all ends with more workers."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

from operator_lib.trace.dag import DAG, Node


@dataclass(frozen=True, slots=True)
class Path:
    """The longest chain of calls that wait for one another."""

    nodes: tuple[str, ...]
    """Ids, in order."""
    seconds: float


class Plan:
    """The nodes of a graph as pieces of work that wait for one another.

    A call is its own code, then what it calls. One waits for another where a value flows or an effect must stay in
    order; rounds of a loop wait for the round before. `own` are the seconds of each call without what it calls.
    """

    def __init__(self, dag: DAG, own: Mapping[str, float]) -> None:
        self.dag = dag
        self.own = own
        self._before: dict[str, list[str]] = {node.id: [] for node in dag.nodes}
        for edge in dag.edges:
            if edge.kind != "control" and not self._holds(edge.source, dag.node(edge.target)):
                self._before[edge.target].append(edge.source)
        self._chain_rounds()

    def _chain_rounds(self) -> None:
        """What stands in a loop that is not unrolled comes one after another."""
        latest: dict[str, str] = {}
        for node in self.dag.nodes:
            loop = self._loop(node)
            if loop is not None and node.kind == "call":
                if loop in latest and not self._holds(latest[loop], node):
                    self._before[node.id].append(latest[loop])
                latest[loop] = node.id

    def _loop(self, node: Node) -> str | None:
        """The outermost loop around it, in the same code, whose rounds are not told apart."""
        found, parent = None, node.parent
        while parent is not None:
            around = self.dag.node(parent)
            if around.operator is not None:
                break
            if around.kind == "loop" and "unrolled" not in around.reason:
                found = parent
            parent = around.parent
        return found

    def _holds(self, outer: str, node: Node) -> bool:
        parent = node.parent
        while parent is not None and parent != outer:
            parent = self.dag.node(parent).parent
        return parent is not None

    def carry_out(self, workers: int | None) -> tuple[float, Path]:
        """Seconds until everything has ended, in program order as soon as a worker is free; None: always one is."""
        free = [0.0] * (workers or 0)
        own_end: dict[str, float] = {}
        done: dict[str, tuple[float, str]] = {}  # of a node with everything in it: when, and which of that ended last
        came: dict[str, str | None] = {}
        for node in self.dag.nodes:  # what is in a node comes right behind it
            waits: list[tuple[float, str]] = [done[source] for source in self._before[node.id] if source in done]
            if node.parent is not None:
                waits.append((own_end[node.parent], node.parent))
            ready, came[node.id] = max(waits, key=lambda one: one[0], default=(0.0, None))
            own, start = self.own.get(node.id, 0.0), ready
            if own and workers is not None:
                start = max(ready, heapq.heappop(free))
                heapq.heappush(free, start + own)
            own_end[node.id] = end = start + own
            around: str | None = node.id
            while around is not None:
                if around not in done or end > done[around][0]:
                    done[around] = end, node.id
                around = self.dag.node(around).parent
        last = max(own_end, key=lambda id: own_end[id], default=None)
        return (own_end[last], self._way(last, came)) if last is not None else (0.0, Path((), 0.0))

    def _way(self, last: str, came: Mapping[str, str | None]) -> Path:
        found: list[str] = []
        node: str | None = last
        while node is not None:
            if self.own.get(node, 0.0) > 0:
                found.append(node)
            node = came[node]
        return Path(tuple(reversed(found)), sum(self.own[id] for id in found))


def with_workers(plan: Plan, most: int) -> list[float]:
    """Seconds with at most 1, 2, ... `most` at the same time. More of them never take longer: who has them may leave
    them; and more than there are calls do nothing."""
    counts = range(1, min(most, max(1, len(plan.own))) + 1)
    found = list(accumulate((plan.carry_out(count)[0] for count in counts), min))
    return found + found[-1:] * (most - len(found))
