"""What a flowchart shows: boxes within boxes, and arrows between neighbours. Shared by SVG, Mermaid and DOT."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from operator_lib.trace.dag import DAG, Edge, Node
from operator_lib.trace.draw.reduce import Flow, reduced
from operator_lib.trace.draw.rows import REGIONS, calls_below

MANY, DEEP = 400, 40
"""More boxes, or more boxes within each other, than this are not drawn unless asked for."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """Between two boxes in the same box."""

    source: str
    target: str
    kind: str = "data"
    """``data``, ``effect``, or ``control`` where only the order of the program connects the two."""
    names: tuple[str, ...] = ()
    """The variables that flow."""
    assumed: bool = False


@dataclass(slots=True)
class _Shown:
    """The boxes down to one depth."""

    inside: dict[str | None, list[Node]] = field(default_factory=dict[str | None, list[Node]])
    ids: set[str] = field(default_factory=set[str])


class Picture:
    """The nodes that are worth a box, and the arrows of each box, lifted to neighbours and without detours.

    Boxes deeper than `depth` are not drawn; the box around them says how many calls it hides. Without `depth`
    everything is drawn that still makes a readable picture. The boxes with these ids are drawn shut (`folded`), or
    with what is directly inside them although it is too deep (`opened`).
    """

    def __init__(
        self,
        dag: DAG,
        depth: int | None = None,
        folded: Collection[str] = frozenset(),
        opened: Collection[str] = frozenset(),
    ) -> None:
        self.dag = dag
        self.folded = folded
        self.opened = opened
        self.by_id = {n.id: n for n in dag.nodes}
        self.calls = calls_below(dag)
        shown = self._collect(max(1, min(depth, DEEP)) if depth is not None else None)
        self.inside = shown.inside
        self.shown = shown.ids
        self._paths: dict[str, tuple[str, ...]] = {}
        self.fed: set[str] = set()
        """Boxes that get data from outside themselves."""
        self.arrows: dict[str | None, list[Arrow]] = self._arrows()
        self._add_order()

    def hidden(self, node: Node) -> int:
        """How many calls inside the box of a node are not drawn."""
        return 0 if self.inside.get(node.id) else self.calls[node.id]

    # --- boxes -----------------------------------------------------------------------------------------------------

    def _collect(self, depth: int | None) -> _Shown:
        """Level by level, as deep as was asked for; else until there are many boxes."""
        shown = _Shown()
        level: list[str | None] = [None]
        limit, done = depth or DEEP, 0
        while level and done < DEEP:
            found = self._within(level, only_opened=done >= limit)
            size = sum(map(len, found.values()))
            if depth is None and done and limit == DEEP and len(shown.ids) + size > MANY:
                limit = done
                continue
            for parent, nodes in found.items():
                shown.inside[parent] = nodes
                shown.ids.update(n.id for n in nodes)
            level = [n.id for nodes in found.values() for n in nodes]
            done += 1
        return shown

    def _within(self, parents: Sequence[str | None], only_opened: bool) -> dict[str | None, list[Node]]:
        """What is drawn directly inside of boxes that are not shut."""
        open_ = [p for p in parents if p not in self.folded and (p in self.opened or not only_opened)]
        return {parent: [n for n in self.dag.children_of(parent) if self._worth(n)] for parent in open_}

    def _worth(self, node: Node) -> bool:
        if node.kind == "call" or node.certainty == "opaque":
            return True
        if node.kind in ("input", "return"):
            return (node.parent is None or node.kind == "return") and self._outermost(node)
        return node.kind in REGIONS and (self.calls[node.id] > 0 or self._returns(node))

    def _outermost(self, node: Node) -> bool:
        """Whether no call is around a node: it belongs to the operator itself."""
        parent = node.parent
        while parent is not None:
            above = self.by_id[parent]
            if above.kind == "call":
                return False
            parent = above.parent
        return True

    def _returns(self, node: Node) -> bool:
        return self._outermost(node) and any(
            n.kind == "return" or (n.kind in REGIONS and self._returns(n)) for n in self.dag.children_of(node.id)
        )

    # --- arrows ----------------------------------------------------------------------------------------------------

    def path(self, id: str) -> tuple[str, ...]:
        """The boxes around a node, outermost first, itself last; only those that are shown."""
        if id not in self._paths:
            found: list[str] = []
            at: str | None = id
            while at is not None:
                if at in self.shown:
                    found.append(at)
                at = self.by_id[at].parent
            self._paths[id] = tuple(found[::-1])
        return self._paths[id]

    def _arrows(self) -> dict[str | None, list[Arrow]]:
        lifted: dict[str | None, dict[tuple[str, str], Flow]] = {}
        for edge in self.dag.edges:
            if edge.kind == "control" or not self._drawn(edge.source) or not self._drawn(edge.target):
                continue
            a, b = self.path(edge.source), self.path(edge.target)
            level = _common(a, b)
            self.fed.update(b[level:])
            if level < len(a) and level < len(b):
                flows = lifted.setdefault(a[level - 1] if level else None, {})
                flow = flows.setdefault((a[level], b[level]), Flow())
                flow.add(edge, self._direct(edge, a[level:], b[level:]))
        return {parent: self._kept(parent, flows) for parent, flows in lifted.items()}

    def _kept(self, parent: str | None, flows: dict[tuple[str, str], Flow]) -> list[Arrow]:
        place = {n.id: i for i, n in enumerate(self.inside[parent])}
        forward = {(place[s], place[t]): flow for (s, t), flow in flows.items() if place[s] < place[t]}
        made: list[Arrow] = []
        for (s, t), names in reduced(forward, len(place)):
            source, target, flow = self.inside[parent][s], self.inside[parent][t], forward[s, t]
            names = tuple(n for n in names if source.kind != "input" or n != source.name)
            made.append(Arrow(source.id, target.id, flow.kind, names, flow.assumed))
        return made

    def _drawn(self, id: str) -> bool:
        """Plain code is passed through: what it reads has an edge of its own to what it feeds."""
        return self.by_id[id].kind != "code" or id in self.shown

    def _direct(self, edge: Edge, source: Sequence[str], target: Sequence[str]) -> bool:
        """Whether the value is handed over as it is, not through other calls or code that made another one of it."""
        around = [id for id in (*source, *target) if id not in (edge.source, edge.target)]
        if any(self.by_id[id].kind == "call" for id in around):
            return False
        return not edge.name or edge.name in self.by_id[edge.target].inputs

    def _add_order(self) -> None:
        """Order of the program, between neighbours that nothing else connects."""
        after: dict[str, list[str]] = {}
        for edge in self.dag.edges:
            if edge.kind == "control":
                after.setdefault(edge.source, []).append(edge.target)
        for parent, nodes in self.inside.items():
            place = {n.id: i for i, n in enumerate(nodes)}
            known = {(place[a.source], place[a.target]) for a in self.arrows.get(parent, ())}
            before = _ancestors(known, len(nodes))
            for node in (n for n in nodes if n.kind != "input"):
                for next_id in _next_shown(node.id, after, self.shown):
                    j = place.get(next_id, -1)
                    if (
                        j > place[node.id]
                        and not before[j] >> place[node.id] & 1
                        and not _by_itself(nodes[j], before[j])
                    ):
                        self.arrows.setdefault(parent, []).append(Arrow(node.id, next_id, "control"))


def _common(a: Sequence[str], b: Sequence[str]) -> int:
    level = 0
    while level < min(len(a), len(b)) and a[level] == b[level]:
        level += 1
    return level


def _by_itself(node: Node, before: int) -> bool:
    """Whether everybody knows when it runs: a result at the end, a handler behind what it handles."""
    return bool(node.kind == "return" and before) or node.name.startswith(("except", "finally"))


def _ancestors(pairs: set[tuple[int, int]], count: int) -> list[int]:
    """For each place the set, as bits, of those from which arrows lead to it."""
    before = [0] * count
    for s, t in sorted(pairs, key=lambda p: (p[1], p[0])):
        before[t] |= before[s] | 1 << s
    return before


def _next_shown(id: str, after: dict[str, list[str]], shown: set[str]) -> list[str]:
    """What follows in the program, looking through nodes that are not drawn."""
    found: list[str] = []
    seen: set[str] = set()
    waiting = list(after.get(id, ()))
    while waiting:
        at = waiting.pop()
        if at not in seen:
            seen.add(at)
            if at in shown:
                found.append(at)
            else:
                waiting.extend(after.get(at, ()))
    return sorted(found)
