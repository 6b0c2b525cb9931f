"""What a run did, laid over the static graph: status, count, start and duration on every node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from operator_lib.trace.dag import DAG, Node

_ENDED = ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED")
# What a region shows when its inside shows several things: the first of these that occurs.
_LOUDEST = ("running", "failed", "lost", "done", "cached")


@dataclass(slots=True)
class _State:
    status: str = "pending"
    count: int = 0
    started: float | None = None
    duration: float | None = None
    open: dict[int, float] = field(default_factory=dict[int, float])


class _Overlay:
    """Events find their nodes by place and path; one that finds none is counted for the operator's nearest node."""

    def __init__(self, dag: DAG) -> None:
        self.dag = dag
        self.states = {n.id: _State() for n in dag.nodes}
        self.calls: dict[int, str | None] = {}
        self.by_place: dict[tuple[str, str, int, int], list[Node]] = {}
        self.by_path: dict[str, list[Node]] = {}
        self.around = {n.id: _call_around(dag, n) for n in dag.nodes}
        self.ended = ""
        for node in dag.nodes:
            if node.kind == "call":
                path = node.operator if node.operator is not None else node.name
                self.by_place.setdefault((path, node.file, node.line, node.col), []).append(node)
                self.by_place.setdefault(("", node.file, node.line, node.col), []).append(node)
                self.by_path.setdefault(path, []).append(node)

    def event(self, event: Mapping[str, Any]) -> None:
        if event.get("kind") == "status":
            if event.get("status") in _ENDED:
                self.ended = event["status"]
            elif event.get("status") == "RUNNING":
                self.ended = ""  # a retry: what ran before stays counted
        elif event.get("kind") == "node":
            phase, call = event.get("phase"), int(event.get("call", 0))
            if phase == "start":
                self._start(event, call)
            elif phase in ("end", "error"):
                self._end(event, call, "done" if phase == "end" else "failed")
            elif phase == "cached":
                self._start(event, call)
                self._end(event, call, "cached")

    def _start(self, event: Mapping[str, Any], call: int) -> None:
        node = self._find(event)
        self.calls[call] = node.id if node is not None else self.calls.get(int(event.get("parent", 0)))
        if node is None:
            return
        state = self.states[node.id]
        now = float(event.get("t", 0.0))
        state.status = "running"
        state.started = now if state.started is None else min(state.started, now)
        state.open[call] = now

    def _end(self, event: Mapping[str, Any], call: int, status: str) -> None:
        id = self.calls.get(call)
        if id is None or call not in self.states[id].open:
            return
        state = self.states[id]
        started = state.open.pop(call)
        spent = float(event.get("dur", float(event.get("t", started)) - started))
        state.count += 1
        state.duration = (state.duration or 0.0) + spent
        if state.open:
            state.status = "running"
        elif state.status != "failed" or status == "failed":
            state.status = status

    def _find(self, event: Mapping[str, Any]) -> Node | None:
        place = str(event.get("file", "")), int(event.get("line", 0)), int(event.get("col", 0))
        path = str(event.get("path", ""))
        found = self.by_place.get((path, *place)) or self.by_place.get(("", *place)) or []
        if not found and not place[1]:
            found = self.by_path.get(path, [])
        parent = self.calls.get(int(event.get("parent", 0)))
        inside = [n for n in found if self._below(n, parent)]
        return (inside or found or [None])[0]

    def _below(self, node: Node, parent: str | None) -> bool:
        """Whether the nearest call of an operator around `node` is `parent`; helpers in between do not count."""
        around = self.around[node.id]
        while around is not None and around != parent and self.dag.node(around).operator is None:
            around = self.around[around]
        return around == parent

    def result(self) -> DAG:
        done: dict[str, _State] = {}
        for node in reversed(self.dag.nodes):
            done[node.id] = self._settled(node, done)
        for node in self.dag.nodes:
            self._plain(node, done)
        nodes = tuple(
            replace(n, status=s.status, count=s.count, started=s.started, duration=s.duration)
            for n in self.dag.nodes
            for s in (done[n.id],)
        )
        return replace(self.dag, nodes=nodes)

    def _settled(self, node: Node, done: dict[str, _State]) -> _State:
        """Calls by their events, regions and helpers by what is inside them."""
        state = self.states[node.id]
        if state.status == "running" and self.ended:
            state.status = "lost"
        elif state.status == "pending":
            inside = [done[c.id] for c in self.dag.children_of(node.id)]
            seen = {s.status for s in inside}
            loudest = next((s for s in _LOUDEST if s in seen), None)
            if loudest is not None:
                starts = [s.started for s in inside if s.started is not None]
                spent = [s.duration for s in inside if s.duration is not None]
                count = max((s.count for s in inside), default=0)
                status = "done" if loudest == "failed" and node.kind == "try" and self._went_on(node, done) else loudest
                return _State(status, count, min(starts, default=None), sum(spent) if spent else None)
            if self.ended:
                state.status = "skipped"
        return state

    def _went_on(self, node: Node, done: dict[str, _State]) -> bool:
        return any(
            done[n.id].count
            for n in self.dag.nodes
            if n.index > node.index and n.id in done and n.parent == node.parent
        )

    def _plain(self, node: Node, done: dict[str, _State]) -> None:
        """Code, inputs and returns are done when the call around them is."""
        if node.kind not in ("code", "input", "return") or node.certainty == "opaque":
            return
        state = done[node.id]
        around = self.around[node.id]
        outer = done[around].status if around is not None else self._root()
        region = done[node.parent].status if node.parent is not None else outer
        if region == "skipped" or outer == "skipped":
            state.status = "skipped"
        elif outer in ("done", "cached"):
            state.status = outer if region in (outer, "done", "pending") else region
        elif node.kind == "input" and outer in ("running", "failed"):
            state.status = "done"
        elif self.ended and outer in ("failed", "lost"):
            state.status = "done" if self._later(node, done) else "skipped"

    def _root(self) -> str:
        if not self.ended:
            return "running" if self.calls else "pending"
        return "done" if self.ended == "COMPLETED" else "failed"

    def _later(self, node: Node, done: dict[str, _State]) -> bool:
        """Whether something behind `node` in the same region has started."""
        return any(done[n.id].started is not None for n in self.dag.children_of(node.parent) if n.index > node.index)


def _call_around(dag: DAG, node: Node) -> str | None:
    parent = node.parent
    while parent is not None and dag.node(parent).kind != "call":
        parent = dag.node(parent).parent
    return parent


def overlay(dag: DAG, events: Iterable[Mapping[str, Any]]) -> DAG:
    """The same graph with the status of a run.

    Args:
        events: ``{"kind": "node", "phase": "start" | "end" | "error" | "cached", "call": int, "parent": int (0: the
            operator itself), "path": str, "file": str, "line": int, "col": int, "t": seconds since the epoch,
            "dur": seconds}`` and ``{"kind": "status", "status": "RUNNING" | "COMPLETED" | ...}``, in order.
    """
    made = _Overlay(dag)
    for event in events:
        made.event(event)
    return made.result()
