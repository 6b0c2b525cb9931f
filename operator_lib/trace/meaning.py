"""What the nodes of a graph say, read from the text that they carry: two ways of writing the same thing are equal."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Mapping

from operator_lib import syntax
from operator_lib.trace.dag import DAG, Node
from operator_lib.trace.normal import bound, numbered, stored

# What a node's text is a part of, by what it can be put into.
_AROUND = (
    "{}",
    "({})",
    "{}:\n    pass",
    "async def _():\n    {}:\n        pass",
    "try:\n    pass\n{}:\n    pass",
    "match _:\n    case {}:\n        pass",
)


class Meanings:
    """Texts of one graph, parsed when they are asked for. `attributes`: names that stand for others."""

    def __init__(self, dag: DAG, attributes: Mapping[str, str]) -> None:
        self.dag = dag
        self._attributes = attributes
        self._trees: dict[str, ast.Module | None] = {}
        self._scopes: dict[str | None, set[str]] = {}
        self._calls: dict[str, str | None] = {}

    def of(self, node: Node) -> tuple[str, list[str]]:
        """The text of a node without formatting, and the variables in it in the order of their first use."""
        text = node.code or node.condition
        tree = self._tree(node)
        if tree is None:
            return " ".join(text.split()), []
        return numbered(tree, self._names(self.scope(node)))

    def in_id(self, node: Node) -> bool:
        """Whether the id stands for the whole text; it knows what imported names mean."""
        tree = self._tree(node)
        if node.kind == "call":
            only = tree.body[0] if tree is not None and len(tree.body) == 1 else None
            return isinstance(only, ast.Expr) and isinstance(only.value, ast.Call)
        return node.kind in ("code", "return")

    def condition(self, node: Node) -> str:
        """The condition of a single call."""
        tree = _parsed(node.condition)
        if tree is None:
            return " ".join(node.condition.split())
        return numbered(tree, self._names(self.scope(node)))[0]

    def has_effect(self, node: Node) -> bool:
        """Whether plain code does something besides computing values for variables."""
        tree = self._tree(node)
        if node.kind != "code" or tree is None:
            return False
        return any(_acts(part) for part in ast.walk(tree))

    def scope(self, node: Node) -> str | None:
        """The call whose function the node stands in; None: the operator itself."""
        if node.id not in self._calls:
            parent = self.dag.node(node.parent) if node.parent is not None else None
            inside = parent is None or parent.kind == "call"
            self._calls[node.id] = node.parent if inside or parent is None else self.scope(parent)
        return self._calls[node.id]

    def _tree(self, node: Node) -> ast.Module | None:
        if node.id not in self._trees:
            text = node.code or node.condition
            # A pattern may look like an expression.
            tree = _parsed(f"match _:\n    case {text}:\n        pass" if node.name == f"case {text}" else text)
            if tree is not None and self._attributes:
                tree = _Renamed(self._attributes).visit(tree)
            self._trees[node.id] = tree
        return self._trees[node.id]

    def _names(self, scope: str | None) -> set[str]:
        """Variables of a function and of those around it."""
        if not self._scopes:
            for node in self.dag.nodes:
                found = self._scopes.setdefault(self.scope(node), set())
                found.update(n for n in node.outputs if n.isidentifier())
                if (tree := self._tree(node)) is not None:
                    found.update(*(stored(statement) for statement in tree.body))
                    found.update(*(bound(part) for part in ast.walk(tree)))  # calls in there have nodes of their own
        found = self._scopes.get(scope, set())
        outer = self.scope(self.dag.node(scope)) if scope is not None else None
        call = self.dag.node(scope) if scope is not None else None
        return found | self._names(outer) if call is not None and call.operator is None else found


class _Renamed(ast.NodeTransformer):
    def __init__(self, attributes: Mapping[str, str]) -> None:
        self._attributes = attributes

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        node.attr = self._attributes.get(node.attr, node.attr)
        return node


def _parsed(text: str) -> ast.Module | None:
    text = textwrap.dedent(text)
    for around in _AROUND:
        try:
            return syntax.parse(around.format(text))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def _acts(part: ast.AST) -> bool:
    if isinstance(part, ast.Expr):
        return isinstance(part.value, ast.Call | ast.Await)
    if isinstance(part, ast.Attribute | ast.Subscript):
        return not isinstance(part.ctx, ast.Load)
    return isinstance(part, ast.Raise | ast.Assert | ast.Global | ast.Nonlocal | ast.Break | ast.Continue)


def renames(pairs: list[tuple[list[str], list[str]]], fixed: Mapping[str, str]) -> set[tuple[str, str]]:
    """Which variable of a function became which, from the texts that are alike; at most one for each.

    `fixed` are known. What is said most often wins; a statement is often said twice, by its call and by itself, so
    that a name which stays needs fewer to say so.
    """
    votes: dict[tuple[str, str], int] = {}
    for old, new in pairs:
        for pair in zip(old, new, strict=False):
            votes[pair] = votes.get(pair, 0) + (3 if pair[0] == pair[1] else 1)
    found = set(fixed.items())
    left, right = set(fixed), set(fixed.values())
    for was, now in sorted(votes, key=lambda p: (-votes[p], p[0] != p[1], p)):
        if was not in left and now not in right:
            found.add((was, now))
            left.add(was)
            right.add(now)
    return found
