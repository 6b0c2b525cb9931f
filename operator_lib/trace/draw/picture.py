"""What a flowchart shows: boxes within boxes, and arrows between neighbours. Shared by SVG, Mermaid and DOT."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from operator_lib.trace.dag import DAG, Node
from operator_lib.trace.draw.rows import has_calls

_REGIONS = ("branch", "loop", "try", "with")


@dataclass(frozen=True, slots=True)
class Arrow:
    """Between two boxes in the same box. `names` are the variables that flow."""

    source: str
    target: str
    names: tuple[str, ...]


class Picture:
    """The nodes that are worth a box, and the arrows of each box, lifted to neighbours and without detours."""

    def __init__(self, dag: DAG) -> None:
        self.dag = dag
        self.inside: dict[str | None, list[Node]] = {}
        self.by_id = {n.id: n for n in dag.nodes}
        self.shown: dict[str, Node] = {}
        self._collect(None)
        self.arrows: dict[str | None, list[Arrow]] = self._arrows()

    def _collect(self, parent: str | None) -> None:
        self.inside[parent] = [n for n in self.dag.children_of(parent) if self._worth(n, parent)]
        for node in self.inside[parent]:
            self.shown[node.id] = node
            self._collect(node.id)

    def _worth(self, node: Node, parent: str | None) -> bool:
        if node.kind in ("call",) or node.certainty == "opaque":
            return True
        if node.kind in ("input", "return"):
            return parent is None or (node.kind == "return" and self._outermost(node))
        return node.kind in _REGIONS and (has_calls(self.dag, node) or self._returns(node))

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
            n.kind == "return" or self._returns(n) for n in self.dag.children_of(node.id)
        )

    def path(self, id: str) -> list[str]:
        """The boxes around a node, outermost first, itself last; only those that are shown."""
        found: list[str] = []
        at: str | None = id
        while at is not None:
            if at in self.shown:
                found.append(at)
            at = self.by_id[at].parent
        return found[::-1]

    def _arrows(self) -> dict[str | None, list[Arrow]]:
        lifted: dict[str | None, dict[tuple[str, str], list[str]]] = {}
        paths = {id: self.path(id) for id in self.by_id}
        for edge in self.dag.edges:
            if edge.kind != "data" or "code" in (self.by_id[edge.source].kind, self.by_id[edge.target].kind):
                continue
            a, b = paths[edge.source], paths[edge.target]
            depth = 0
            while depth < min(len(a), len(b)) and a[depth] == b[depth]:
                depth += 1
            if depth >= len(a) or depth >= len(b):
                continue
            parent = a[depth - 1] if depth else None
            names = lifted.setdefault(parent, {}).setdefault((a[depth], b[depth]), [])
            if edge.name and edge.name not in names:
                names.append(edge.name)
        return {parent: list(_reduced(pairs)) for parent, pairs in lifted.items()}


def _reduced(pairs: dict[tuple[str, str], list[str]]) -> Iterator[Arrow]:
    """Arrows that are not implied by a longer way."""
    after: dict[str, list[str]] = {}
    for source, target in pairs:
        after.setdefault(source, []).append(target)
    reach: dict[str, set[str]] = {}

    def reached(node: str) -> set[str]:
        if node not in reach:
            reach[node] = set()
            for follower in after.get(node, ()):
                reach[node] |= {follower} | reached(follower)
        return reach[node]

    for (source, target), names in pairs.items():
        if len(pairs) > 4000 or not any(target in reached(other) for other in after[source] if other != target):
            yield Arrow(source, target, tuple(names))
