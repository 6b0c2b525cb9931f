"""OP101, OP102: children that nobody calls, and calls that nobody reaches."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from operator_lib import tree
from operator_lib.decorator import FunctionOperator
from operator_lib.lint.finding import Finding
from operator_lib.lint.program import Method, Program

# Who says one of these goes through children, or through attributes by name.
_WALKING = frozenset(
    "children named_children operators named_operators apply propagate getattr vars __dict__ dir thaw".split()  # noqa: SIM905
)


def check(program: Program) -> Iterator[Finding]:
    """Both rules."""
    called = _called(program)
    for path, op in program.operators.items():
        if isinstance(op, FunctionOperator) or tree.is_module(op) or tree.is_graph(op) or _ready_made(op):
            continue
        methods = program.of(op)
        if not methods or any(_walks(method.node) for method in methods):
            continue
        for name, value in tree.attributes(op):
            kids = [child for place, child in tree.child_places(op) if place.partition(".")[0] == name]
            if kids and not any(id(kid) in called for kid in kids) and not _looked_at(methods, name):
                where = f"{path}.{name}" if path else name
                method, line = _made(methods, name)
                words = f"{where} is made and never called ({type(value).__name__})"
                yield Finding("OP101", words, method.file, line, f"call self.{name}, or do not make it")
    yield from _never_reached(program)


def _ready_made(op: Any) -> bool:
    return type(op).__module__.startswith("operator_lib.")


def _called(program: Program) -> set[int]:
    """Operators of which the graph has a call, by id: a child may hang in two places."""
    paths = {node.operator for node in program.dag.nodes if node.operator}
    return {id(program.operators[path]) for path in paths if path in program.operators}


def _walks(node: ast.AST) -> bool:
    return any(
        (isinstance(one, ast.Attribute) and one.attr in _WALKING) or (isinstance(one, ast.Name) and one.id in _WALKING)
        for one in ast.walk(node)
    )


def _looked_at(methods: list[Method], name: str) -> bool:
    """Whether a method that runs with a call reads the attribute; a method that is handed the object may."""
    for method in methods:
        if method.builds:
            continue
        for one in ast.walk(method.node):
            if isinstance(one, ast.Attribute) and one.attr == name and isinstance(one.ctx, ast.Load):
                return True
    return False


def _made(methods: list[Method], name: str) -> tuple[Method, int]:
    for method in methods:
        for one in ast.walk(method.node):
            if isinstance(one, ast.Attribute) and one.attr == name and isinstance(one.ctx, ast.Store):
                return method, one.lineno
    return methods[0], methods[0].node.lineno


def _never_reached(program: Program) -> Iterator[Finding]:
    calls = {(node.file, node.line): node for node in program.dag.nodes if node.kind == "call"}
    for method in program.methods:
        for statement in _dead(method.node):
            for line in range(statement.lineno, (statement.end_lineno or statement.lineno) + 1):
                node = calls.get((method.file, line))
                if node is not None:
                    words = f"the call of {node.operator or node.name} is never reached"
                    fix = "move it to where the program comes, or take it out"
                    yield Finding("OP102", words, method.file, line, fix)


def _dead(node: ast.AST) -> Iterator[ast.stmt]:
    """Statements behind one that always leaves the block, and those under a condition that is never true."""
    for field in ("body", "orelse", "finalbody"):
        block: list[ast.stmt] = found if isinstance(found := getattr(node, field, None), list) else []
        for number, one in enumerate(block):
            if _leaves(one):
                yield from block[number + 1 :]
                break
    if isinstance(node, ast.If | ast.While) and isinstance(node.test, ast.Constant):
        yield from node.orelse if node.test.value and isinstance(node, ast.If) else () if node.test.value else node.body
    for child in ast.iter_child_nodes(node):
        yield from _dead(child)


def _leaves(node: ast.stmt) -> bool:
    if isinstance(node, ast.If):
        return any(map(_leaves, node.body)) and any(map(_leaves, node.orelse))
    return isinstance(node, ast.Return | ast.Raise | ast.Break | ast.Continue)
