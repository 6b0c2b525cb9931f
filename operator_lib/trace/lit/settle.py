"""What became of every node: calls say it themselves, everything around and between them is told from the calls.

* A region (branch, loop, try, with, function of the project) runs from the first call in it until something behind it
  begins, or the call around it ends; it failed when an exception left it.
* What was passed over is skipped as soon as nothing can lead there any more.
* What calls no operator is told from what does: see `plain`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from operator_lib.trace.dag import Node
from operator_lib.trace.lit import plain
from operator_lib.trace.lit.plain import Settled
from operator_lib.trace.lit.shape import FLOATING, Shape, alternatives
from operator_lib.trace.lit.state import State


@dataclass(slots=True)
class _Inside:
    """What happened in a node and below it."""

    last: int = 0
    """The number of the event that began the last call; 0: none."""
    running: bool = False
    lost: bool = False
    raised: bool = False
    """Whether the last that happened in it is an exception that nothing in it took up."""
    caches: bool = False
    """Whether all that ran in it came from a cache."""
    counted: int = 0
    """How many calls of one node were not told one by one."""


@dataclass(slots=True, frozen=True)
class _Around:
    """What holds for the nodes directly inside of a call or a region."""

    status: str
    over: bool
    """Nothing more can happen here."""
    again: bool = False
    """Inside of a loop that goes on: what was passed over may still come."""
    failed: int = 0
    """The number of the event that began the last call of an operator that failed; 0: it did not fail."""
    line: int = 0
    """Where an exception went through the operator's own code; 0 inside of functions."""
    caught: bool = False
    """Inside of a ``try`` or a ``with``, which may take up an exception."""


def settle(
    shape: Shape, states: Mapping[str, State], root: State, rounds: Mapping[str, int], ended: str
) -> dict[str, Settled]:
    """The status of every node, by id."""
    return _Settling(shape, states, rounds, ended).run(root)


class _Settling:
    def __init__(self, shape: Shape, states: Mapping[str, State], rounds: Mapping[str, int], ended: str) -> None:
        self.dag = shape.dag
        self.states = states
        self.rounds = rounds
        self.ended = ended
        self.inside: dict[str, _Inside] = {}
        self.found: dict[str, Settled] = {}

    def run(self, root: State) -> dict[str, Settled]:
        for node in reversed(self.dag.nodes):
            self.inside[node.id] = self._gather(node)
            self.found[node.id] = self._sum(node)
        last = max((self.inside[n.id].last for n in self.dag.children_of(None)), default=0)
        outcome = self._own(root) if root.last else ""
        if not outcome and last:
            outcome = {"": "running", "COMPLETED": "done"}.get(self.ended, "failed")
        outcome = outcome or ("skipped" if self.ended else "pending")
        over = bool(self.ended) or outcome in ("done", "failed", "lost", "cached")
        self._settle(None, _Around(outcome, over, failed=last if outcome == "failed" else 0, line=root.line))
        return self.found

    # --- from the inside out -------------------------------------------------------------------------------------

    def _called(self, node: Node) -> State | None:
        state = self.states.get(node.id)
        return state if state is not None and (state.last or state.count) else None

    def _own(self, state: State) -> str:
        if state.open:
            return "lost" if self.ended else "running"
        return state.outcome if state.last else ""

    def _gather(self, node: Node) -> _Inside:
        state = self._called(node)
        if state is not None:
            own = self._own(state)
            is_in = own == "running", own == "lost", own == "failed", own == "cached"
            return _Inside(state.last, *is_in, state.counted)
        children = self.dag.children_of(node.id)
        inner = [i for c in children if (i := self.inside[c.id]).last]
        if not inner:
            return _Inside()
        # An exception goes on behind a `finally`.
        before = [i for c in children if c.name != "finally" and (i := self.inside[c.id]).last]
        latest = max(inner, key=lambda i: i.last)
        return _Inside(
            latest.last,
            any(i.running for i in inner),
            any(i.lost for i in inner),
            latest.raised or (bool(before) and max(before, key=lambda i: i.last).raised),
            all(i.caches for i in inner),
            max(i.counted for i in inner) if node.kind != "loop" else 0,
        )

    def _sum(self, node: Node) -> Settled:
        """Times and counts."""
        state = self.states.get(node.id)
        if state is not None and (state.count or state.started is not None):
            return Settled("", state.count, state.started, state.duration, state.iteration)
        inner = [(c, self.found[c.id]) for c in self.dag.children_of(node.id)]
        arms = [s.count for c, s in inner if node.kind == c.kind == "branch"]
        count = max([s.count for _, s in inner] + [sum(arms)], default=0)
        if node.kind == "loop":
            uncounted = max((self.inside[c.id].counted for c, _ in inner), default=0)
            count = self.rounds.get(node.id, 0) + uncounted
        starts = [s.started for _, s in inner if s.started is not None]
        spent = [s.duration for _, s in inner if s.duration is not None]
        round = state.iteration if state is not None else 0
        return Settled("", count, min(starts, default=None), sum(spent) if spent else None, round)

    # --- from the outside in -------------------------------------------------------------------------------------

    def _settle(self, parent: str | None, around: _Around) -> None:
        children = self.dag.children_of(parent)
        ran = [bool(self.inside[c.id].last) for c in children]
        latest = max((i for i, r in enumerate(ran) if r), default=-1)
        for i, node in enumerate(children):
            over = around.over or (not around.again and self._passed(node, i, children, ran, latest))
            status = self.found[node.id].status = self._status(node, over, around)
            self._settle(node.id, self._within(node, status, over, around))
        raised = any(self.inside[c.id].raised for c in children)
        line = around.line if around.status == "failed" and not raised else 0
        plain.settle(self.dag, self.found, children, latest, around.status, around.over and not around.again, line)

    def _passed(self, node: Node, i: int, children: Sequence[Node], ran: list[bool], latest: int) -> bool:
        """Whether the program has come past a node."""
        state = self._called(node)
        if state is not None and state.last and not state.open and not node.reason.startswith(FLOATING):
            return True
        if node.reason.startswith((*FLOATING, "generator")):
            return False
        if latest > i:
            return True
        parent = self.dag.node(node.parent) if node.parent is not None else None
        taken = (c for c, r in zip(children, ran, strict=True) if r and c is not node)
        return parent is not None and any(alternatives(parent, node, other) for other in taken)

    def _status(self, node: Node, over: bool, around: _Around) -> str:
        inside = self.inside[node.id]
        state = self._called(node)
        if state is not None and state.last:
            return self._own(state)
        if not inside.last:
            return "skipped" if over else "pending"
        if inside.running:
            return "running"
        if inside.lost:
            return "lost"
        if not over:
            return "running"
        if inside.raised and self._left_by_exception(node, inside, around):
            return "failed"
        return "cached" if inside.caches else "done"

    def _left_by_exception(self, node: Node, inside: _Inside, around: _Around) -> bool:
        escaped = bool(around.failed) and around.failed == inside.last
        return escaped or (around.caught and node.kind not in ("try", "with"))

    def _within(self, node: Node, status: str, over: bool, around: _Around) -> _Around:
        state = self._called(node)
        if state is not None:
            last = max((self.inside[c.id].last for c in self.dag.children_of(node.id)), default=0)
            shut = over or (bool(state.last) and not state.open)
            return _Around(status, shut, failed=last if status == "failed" else 0, line=state.line)
        return _Around(
            status,
            over,
            around.again or (node.kind == "loop" and not over),
            around.failed,
            around.line if node.kind != "call" else 0,
            around.caught or node.kind in ("try", "with"),
        )
