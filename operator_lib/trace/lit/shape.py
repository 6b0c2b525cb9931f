"""What of the static graph matters to a run, looked up once: who is inside of whom, and by which way."""

from __future__ import annotations

from dataclasses import dataclass

from operator_lib.trace.dag import DAG, Node

Site = tuple[str, int, int]

# Such nodes run whenever somebody calls back: as often as they like, and not where they stand.
FLOATING = ("callback", "called by", "never called here", "escapes")
_BACK = "recursion to "


@dataclass(frozen=True, slots=True)
class Way:
    """From a call of an operator to a node that stands directly in it."""

    helpers: tuple[Site, ...]
    """Where the functions of the project in between are called, outermost first."""
    regions: tuple[str, ...]
    """What is in between, functions included, outermost first."""
    loops: tuple[tuple[str, bool], ...]
    """The loops in between, outermost first, and whether the node runs as often as it likes in a round."""
    floating: bool
    """Whether it runs when somebody calls back."""


class Shape:
    """The graph by places, by paths, by ways."""

    def __init__(self, dag: DAG) -> None:
        self.dag = dag
        self.nodes = {node.id: node for node in dag.nodes}
        self.by_place: dict[Site, list[Node]] = {}
        self.by_path: dict[str, list[Node]] = {}
        # Several nodes at one place (the children that a loop goes through) come at the same moment of a round.
        self.rank: dict[str, int] = {}
        self.backs: dict[Site, list[Node]] = {}
        """Where functions of the project call themselves."""
        self._ways: dict[tuple[str, str | None], Way | None] = {}
        self._exclusive: dict[tuple[str, str], bool] = {}
        first: dict[object, int] = {}
        chains: dict[str | None, object] = {None: ()}
        for node in dag.nodes:
            chain = chains.get(node.parent, ())
            self.rank[node.id] = first.setdefault((chain, place(node)), node.index)
            chains[node.id] = (chain, place(node)) if node.kind == "call" else chain
            if node.kind == "call" or node.certainty == "opaque":
                self.by_place.setdefault(place(node), []).append(node)
                if node.operator is None and node.reason.startswith(_BACK):
                    self.backs.setdefault(place(node), []).append(node)
                if node.operator is not None:
                    self.by_path.setdefault(node.operator, []).append(node)

    def way(self, node: Node, scope: str | None) -> Way | None:
        """From the call `scope` (None: the operator itself) to `node`; None when it stands in another operator's."""
        key = node.id, scope
        if key not in self._ways:
            self._ways[key] = self._way(node, scope)
        return self._ways[key]

    def _way(self, node: Node, scope: str | None) -> Way | None:
        between: list[Node] = []
        loops: list[tuple[str, bool]] = []
        floating = node.reason.startswith(FLOATING)
        parent = node.parent
        while parent != scope:
            if parent is None:
                return None
            outer = self.nodes[parent]
            if outer.operator is not None:
                return None
            between.append(outer)
            if outer.kind == "loop":
                loops.append((outer.id, floating))
            floating = floating or outer.reason.startswith(FLOATING)
            parent = outer.parent
        between.reverse()
        return Way(
            tuple(place(n) for n in between if n.kind == "call"),
            tuple(n.id for n in between),
            tuple(reversed(loops)),
            floating,
        )

    def inside(self, node: Node) -> str | None:
        """Where the calls made by this one stand: for a recursion inside of the node that it leads back to."""
        if node.reason.startswith(_BACK):
            back = node.reason.removeprefix(_BACK)
            return back if back in self.nodes else None
        return node.id

    def exclusive(self, one: Node, other: Node) -> bool:
        """Whether at most one of them runs each time: they are in different arms."""
        key = one.id, other.id
        if key not in self._exclusive:
            self._exclusive[key] = self._apart(one, other)
        return self._exclusive[key]

    def _apart(self, one: Node, other: Node) -> bool:
        above = {one.parent: one}
        while one.parent is not None:
            one = self.nodes[one.parent]
            above[one.parent] = one
        while other.parent is not None and other.parent not in above:
            other = self.nodes[other.parent]
        one = above[other.parent]
        around = self.nodes.get(other.parent or "")
        return one is not other and around is not None and alternatives(around, one, other)


def alternatives(around: Node, one: Node, other: Node) -> bool:
    """Whether two nodes directly inside of `around` are two ways of which one is taken."""
    if one.kind == other.kind == "branch" and around.kind in ("branch", "try"):
        # What a `case` asks for is asked although it is not taken; of `except*` several may be taken.
        return not any(" if " in arm.name and arm.name.startswith("case ") for arm in (one, other)) and not any(
            arm.name.startswith("except*") for arm in (one, other)
        )
    if around.kind == "branch":  # a ternary
        return one.condition == f"not ({other.condition})" or other.condition == f"not ({one.condition})"
    return False


def place(node: Node) -> Site:
    """As an event names it."""
    return node.file, node.line, node.col
