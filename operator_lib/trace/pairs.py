"""Which node of one graph is which node of another: by id, else by what it is and where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import SequenceMatcher

from operator_lib.trace.dag import DAG, Node

# From here on two pieces of code are taken for the same piece, edited.
_ALIKE = 0.5


class Pairs:
    """Nodes of two graphs that correspond, and operators that only got another name."""

    def __init__(self, before: DAG, after: DAG) -> None:
        self.before = before
        self.after = after
        self.renamed = renamed_operators(before, after)
        self.partner: dict[str, Node] = {}
        self._taken: set[str] = set()
        # Calls of an operator that another class has now: what is inside is not compared.
        self._replaced: set[str] = set()
        self._in_order(None)
        for node in before.nodes:
            if node.id in self.partner:
                self._in_order(node.id)
        self._by_id()
        self._regions()
        for parent in (None, *(n.id for n in before.nodes)):
            if parent is None or parent in self.partner:
                self._below(parent)
        self._close()

    def __iter__(self) -> Iterator[tuple[Node, Node]]:
        """In program order of the later graph."""
        found = [(n, self.partner[n.id]) for n in self.before.nodes if n.id in self.partner]
        return iter(sorted(found, key=lambda pair: pair[1].index))

    @property
    def added(self) -> tuple[Node, ...]:
        return tuple(n for n in self.after.nodes if n.id not in self._taken and n.parent not in self._replaced)

    @property
    def removed(self) -> tuple[Node, ...]:
        return tuple(n for n in self.before.nodes if n.id not in self.partner and n.parent not in self._replaced)

    def path(self, old: str | None) -> str | None:
        """The path in the later graph of an operator of the earlier one."""
        if old is None:
            return None
        for was, now in self.renamed.items():
            if old == was or old.startswith(was + "."):
                return now + old[len(was) :]
        return old

    def _pair(self, old: Node, new: Node) -> None:
        self.partner[old.id] = new
        self._taken.add(new.id)

    def _close(self) -> None:
        """Where an operator was replaced, only that is said."""
        for old, new in list(self):
            if old.kind == "call" and old.operator is not None and old.name != new.name:
                self._replaced |= {old.id, new.id}
        if not self._replaced:
            return
        for dag in (self.before, self.after):
            self._replaced.update(_below(dag, self._replaced))
        for node in self.before.nodes:
            if node.parent in self._replaced and node.id in self.partner:
                self._taken.discard(self.partner.pop(node.id).id)

    def _in_order(self, parent: str | None) -> None:
        """What has not been touched, so that it is not taken for its equal a line further on."""
        there = self.partner[parent].id if parent is not None else None
        left, right = self.before.children_of(parent), self.after.children_of(there)
        one, other = [self._look(n, self.path) for n in left], [self._look(n, str) for n in right]
        if one == other:
            blocks = [(0, 0, len(one))]
        else:
            blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
        for start, second, size in blocks:
            for i in range(size):
                self._pair(left[start + i], right[second + i])

    @staticmethod
    def _look(node: Node, path: Callable[[str], str | None]) -> tuple[object, ...]:
        operator = path(node.operator) if node.operator is not None else None
        return node.kind, operator, node.name, node.code or node.condition, node.outputs

    def _by_id(self) -> None:
        new = {n.id: n for n in self.after.nodes}
        for old in self.before.nodes:
            match = new.get(old.id)
            if match is None or old.id in self.partner or match.id in self._taken:
                continue
            call, there = _scope(self.before, old), _scope(self.after, match)
            if call is None or there is None:
                same = call is there
            else:
                same = call.id in self.partner and self.partner[call.id].id == there.id
            if same:
                self._pair(old, match)

    def _regions(self) -> None:
        """An edited region is known by what stands in it."""
        for old in reversed(self.before.nodes):
            if old.id in self.partner or old.kind in ("call", "input", "code", "return"):
                continue
            inside = [self.partner[c.id].parent for c in self.before.children_of(old.id) if c.id in self.partner]
            for parent in dict.fromkeys(inside):
                new = self.after.node(parent) if parent is not None else None
                if new is not None and new.kind == old.kind and new.id not in self._taken:
                    self._pair(old, new)
                    break

    def _below(self, parent: str | None) -> None:
        left = [n for n in self.before.children_of(parent) if n.id not in self.partner]
        if not left:
            return
        there = self.partner[parent].id if parent is not None else None
        right = [n for n in self.after.children_of(there) if n.id not in self._taken]
        for test in (self._exactly, self._nearly, self._perhaps):
            for old in left:
                if old.id in self.partner or old.kind not in {n.kind for n in right}:
                    continue
                match = next((n for n in right if n.id not in self._taken and test(old, n)), None)
                if match is not None:
                    self._pair(old, match)

    def _exactly(self, old: Node, new: Node) -> bool:
        return self._nearly(old, new) and (old.code, old.condition) == (new.code, new.condition)

    def _nearly(self, old: Node, new: Node) -> bool:
        if old.kind != new.kind or old.certainty == "opaque" != new.certainty:
            return False
        if old.kind == "call":
            return self.path(old.operator) == new.operator and (old.operator is not None or old.name == new.name)
        if old.kind == "input":
            return old.name == new.name
        return old.kind == "return" or (bool(old.outputs) and old.outputs == new.outputs)

    def _perhaps(self, old: Node, new: Node) -> bool:
        if old.kind != new.kind or old.kind == "call":
            return False
        if old.kind == "input":
            return self._position(self.before, old) == self._position(self.after, new)
        one, other = old.code or old.condition or old.name, new.code or new.condition or new.name
        return SequenceMatcher(None, one, other, autojunk=False).ratio() >= _ALIKE

    @staticmethod
    def _position(dag: DAG, node: Node) -> int:
        return [n.id for n in dag.children_of(node.parent) if n.kind == "input"].index(node.id)


def _scope(dag: DAG, node: Node) -> Node | None:
    """The call that a node is in."""
    parent = dag.node(node.parent) if node.parent is not None else None
    while parent is not None and parent.kind != "call":
        parent = dag.node(parent.parent) if parent.parent is not None else None
    return parent


def _below(dag: DAG, ids: set[str]) -> set[str]:
    """Ids of what is in some nodes."""
    found: set[str] = set()
    for node in dag.nodes:  # parents come first
        if node.parent in ids or node.parent in found:
            found.add(node.id)
    return found


def renamed_operators(before: DAG, after: DAG) -> dict[str, str]:
    """Path to new path of the operators that are called by another name and are otherwise the same ones."""
    old, new = _paths(before), _paths(after)
    gone, fresh = _heads(old, new), _heads(new, old)
    found: dict[str, str] = {}
    for path, below in gone.items():
        same = [p for p, b in fresh.items() if b == below and _home(p) == _home(path)]
        rivals = [p for p, b in gone.items() if b == below and _home(p) == _home(path)]
        if len(same) == len(rivals) == 1:
            found[path] = same[0]
    return found


def _paths(dag: DAG) -> dict[str, str]:
    return {n.operator: n.name for n in dag.nodes if n.kind == "call" and n.operator}


def _heads(mine: Mapping[str, str], theirs: Mapping[str, str]) -> dict[str, tuple[tuple[str, str], ...]]:
    """The shortest paths at and below which the other has nothing, with the classes of what is there."""
    known = {p for path in theirs for p in _prefixes(path)}
    heads = {next(p for p in _prefixes(path) if p not in known): None for path in mine if path not in known}
    return {
        head: tuple(sorted((p[len(head) :], c) for p, c in mine.items() if p == head or p.startswith(head + ".")))
        for head in heads
    }


def _prefixes(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def _home(path: str) -> str:
    return path.rpartition(".")[0]
