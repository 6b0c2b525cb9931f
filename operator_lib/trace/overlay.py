"""What a run did, laid over the static graph: status, count, start, duration and round on every node."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from operator_lib.trace.dag import DAG, Node
from operator_lib.trace.lit.find import find
from operator_lib.trace.lit.rounds import Rounds
from operator_lib.trace.lit.settle import Settled, settle
from operator_lib.trace.lit.shape import Shape, Way
from operator_lib.trace.lit.state import Call, State, Stranger

_ENDED = ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED")
# Different calls without a node that are named one by one.
STRANGERS = 20


class Overlay:
    """The state of a run, event by event. Taking one in costs the same however many there were before.

    Events are ``{"kind": "node", "phase": "start" | "end" | "error" | "cached" | "more", "call": int, "parent": int (0:
    the run), "path": str, "file": str, "line": int, "col": int, "via": [[file, line, col], ...], "lane": int,
    "t": seconds since the epoch, "dur": seconds}`` and ``{"kind": "status", "status": "RUNNING" | ...}``, in order.
    """

    def __init__(self, dag: DAG) -> None:
        self.static = dag
        self.shape = Shape(dag)
        self.states: dict[str, State] = {}
        self.rounds = Rounds(self.shape)
        self.calls: dict[int, Call] = {}
        self.strangers: dict[tuple[str, str, int], Stranger] = {}
        self.unplaced = 0
        self._through: dict[tuple[str, str], int] = {}
        self.root = State()
        self.ended = ""
        self.seq = 0
        self._now = 0
        self._lock = threading.Lock()

    def update(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Take in the next events; `seq` is the number of the last one then."""
        with self._lock:
            for event in events:
                self.seq = event.get("seq", self.seq)
                self._take(event)

    def _take(self, event: Mapping[str, Any]) -> None:
        kind = event.get("kind")
        if kind == "status":
            self._status(str(event.get("status", "")))
        elif kind == "node":
            self._now += 1
            phase, call = event.get("phase"), int(event.get("call", 0))
            if phase == "start" or call not in self.calls:
                self._start(event, call)
            if phase in ("end", "error", "cached"):
                self._end(event, call, {"end": "done", "error": "failed"}.get(str(phase), "cached"))
            elif phase == "more":
                self._more(event, call)

    def _status(self, status: str) -> None:
        if status in _ENDED:
            self.ended = status
        elif status == "RUNNING":  # another attempt: what ran before stays counted, what became of it does not
            self.ended = ""
            self.calls.clear()
            self.rounds.clear()
            for state in (self.root, *self.states.values()):
                state.forget()
        elif status == "PENDING":
            for state in (self.root, *self.states.values()):
                state.lose()

    def _start(self, event: Mapping[str, Any], call: int) -> None:
        began = float(event.get("t", 0.0))
        parent = self.calls.get(int(event.get("parent", 0)))
        if parent is None and not event.get("path") and "file" in event:
            self.calls[call] = Call(self.root, None, began)
            self.root.begin(call, began, self._now)
            return
        if parent is not None and not parent.placed:
            self._lost_way(event, call, parent, began)
            return
        scope = parent.scope if parent is not None else None
        node = find(self.shape, event, scope, parent is None, self._at_work)
        if node is None:
            self._lost_way(event, call, parent, began)
            return
        state = self.states.setdefault(node.id, State())
        state.begin(call, began, self._now)
        made = self.calls[call] = Call(state, self.shape.inside(node), began)
        self._rounds(node, state, made, event, parent)

    def _rounds(self, node: Node, state: State, made: Call, event: Mapping[str, Any], parent: Call | None) -> None:
        """In which round of the loops around it, and of those around the regions on the way."""
        made.round = parent.round if parent is not None else 0
        way = self.shape.way(node, parent.scope if parent is not None else None)
        if way is None:
            return
        self._recursions(node, way, event, parent)
        numbers = self.rounds.start(node, way, int(event.get("parent", 0)), int(event.get("lane", 0)))
        loops = dict(zip((loop for loop, _ in way.loops), numbers, strict=True))
        for region in way.regions:
            self.states.setdefault(region, State()).iteration = made.round
            made.round = loops.get(region, made.round)
        state.iteration = made.round

    def _recursions(self, node: Node, way: Way, event: Mapping[str, Any], parent: Call | None) -> None:
        """Functions that call themselves are not seen: they ran as often as what was called through them."""
        via = event.get("via", ())
        if len(via) <= len(way.helpers) or not self.shape.backs:
            return
        for site in {(str(file), int(line), int(col)) for file, line, col in via}:
            for back in self.shape.backs.get(site, ()):
                if self.shape.way(back, parent.scope if parent is not None else None) is not None:
                    times = self._through[back.id, node.id] = self._through.get((back.id, node.id), 0) + 1
                    state = self.states.setdefault(back.id, State())
                    state.pass_through(times, float(event.get("t", 0.0)), self._now)

    def _lost_way(self, event: Mapping[str, Any], call: int, parent: Call | None, began: float) -> None:
        """A call that the graph does not have: it is told about, with the nearest operator that is there."""
        near = parent if parent is not None and parent.placed else None
        inside = near.scope if near is not None else (parent.near if parent is not None else None)
        self.calls[call] = Call(State(), None, began, placed=False, near=inside)
        node = self.shape.nodes.get(inside or "")
        if node is not None and node.certainty == "opaque":
            return  # the graph says itself that it does not know what is in there
        self.unplaced += 1
        key = str(event.get("path", "")), str(event.get("file", "")), int(event.get("line", 0))
        found = self.strangers.get(key)
        if found is None and len(self.strangers) < STRANGERS:
            found = self.strangers[key] = Stranger(*key, node=inside)
        if found is not None:
            found.count += 1

    def _end(self, event: Mapping[str, Any], call: int, status: str) -> None:
        known = self.calls[call]
        spent = float(event.get("dur", float(event.get("t", known.began)) - known.began))
        line = event.get("at")
        known.state.end(call, spent, status, self._now, int(line) if line is not None else 0)
        self.rounds.end(call)

    def _more(self, event: Mapping[str, Any], call: int) -> None:
        count, failed = int(event.get("count", 0)), int(event.get("failed", 0))
        self.calls[call].state.add(count, failed, float(event.get("dur", 0.0)), self._now)
        if not self.calls[call].placed:
            self.unplaced += count

    def _at_work(self, node: Node) -> bool:
        """Whether the call of an operator around `node` is going on."""
        while node.parent is not None:
            node = self.shape.nodes[node.parent]
            state = self.states.get(node.id)
            if state is not None and state.open:
                return True
        return False

    def dag(self) -> DAG:
        """The graph as it is now."""
        with self._lock:
            found = settle(self.shape, self.states, self.root, self.rounds.count, self.ended)
            nodes = tuple(_lit(node, found[node.id]) for node in self.static.nodes)
            extra = dict(self.static.extra)
            if self.unplaced:
                strangers = [s.plain() for s in self.strangers.values()]
                extra["unplaced"] = {"calls": self.unplaced, "places": strangers}
        return replace(self.static, nodes=nodes, extra=extra)


def _lit(node: Node, found: Settled) -> Node:
    return replace(
        node,
        status=found.status,
        count=found.count,
        started=found.started,
        duration=found.duration,
        iteration=found.iteration,
    )


def overlay(dag: DAG, events: Iterable[Mapping[str, Any]]) -> DAG:
    """The same graph with the status of a run, of which these are all events so far."""
    made = Overlay(dag)
    made.update(events)
    return made.dag()
