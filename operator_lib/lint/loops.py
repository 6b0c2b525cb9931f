"""OP301: loops without an end."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from operator_lib.lint.finding import Finding
from operator_lib.lint.program import Program

_ENDLESS = ("count", "cycle", "repeat")
FIX = "bound it: for attempt in range(n), or leave it with break, return or raise"


def check(program: Program) -> Iterator[Finding]:
    """`while` of which the condition stays true, `for` over what never ends, with nothing that leaves them."""
    for method in program.methods:
        for node in ast.walk(method.node):
            if isinstance(node, ast.While) and _stays(node) and not _leaves(node.body):
                words = f"while {ast.unparse(node.test)} has no end"
            elif isinstance(node, ast.For) and _endless(node.iter) and not _leaves(node.body):
                words = f"for ... in {ast.unparse(node.iter)} has no end"
            else:
                continue
            yield Finding("OP301", words, method.file, node.lineno, FIX)


def _stays(node: ast.While) -> bool:
    """Whether the condition cannot become false: it is constant, or nothing that it reads changes in the loop."""
    test = node.test
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if any(
        isinstance(one, ast.Call | ast.Await | ast.NamedExpr | ast.Attribute | ast.Subscript) for one in ast.walk(test)
    ):
        return False
    read = {one.id for one in ast.walk(test) if isinstance(one, ast.Name)}
    if _containers(test):
        return False
    return bool(read) and not read & _changed(node.body)


def _containers(test: ast.expr) -> bool:
    """``while queue:``, ``x in seen``: what is looked at may change in place."""
    parts = test.values if isinstance(test, ast.BoolOp) else [test]
    for part in parts:
        inner = part.operand if isinstance(part, ast.UnaryOp) else part
        if isinstance(inner, ast.Name):
            return True
        if isinstance(inner, ast.Compare) and any(isinstance(op, ast.In | ast.NotIn) for op in inner.ops):
            return True
    return False


def _changed(body: list[ast.stmt]) -> set[str]:
    """Names that are assigned in the loop, or that a function inside of it may write."""
    found: set[str] = set()
    for statement in body:
        for one in ast.walk(statement):
            if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load):
                found.add(one.id)
            elif isinstance(one, ast.Nonlocal | ast.Global):
                found |= set(one.names)
    return found


def _endless(source: ast.expr) -> bool:
    if not isinstance(source, ast.Call):
        return False
    name = source.func.attr if isinstance(source.func, ast.Attribute) else getattr(source.func, "id", "")
    if name == "repeat":
        return len(source.args) == 1 and not source.keywords
    if name == "iter" and len(source.args) == 2:  # iter(int, 1)
        return isinstance(source.args[0], ast.Name) and source.args[0].id in ("int", "list", "dict", "str")
    of_itertools = isinstance(source.func, ast.Name) or getattr(source.func.value, "id", "") == "itertools"  # type: ignore[attr-defined]
    return name in _ENDLESS and of_itertools


def _leaves(body: list[Any], inner: bool = False) -> bool:
    """Whether something in the loop gets out of it, or hands control to somebody who can."""
    for one in body:
        if isinstance(one, ast.Return | ast.Raise) or (isinstance(one, ast.Break) and not inner):
            return True
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if any(isinstance(part, ast.Yield | ast.YieldFrom | ast.Await) for part in _expressions(one)) or _exits(one):
            return True
        deeper = inner or isinstance(one, ast.For | ast.While)
        for field in ("body", "finalbody", "handlers", "cases"):
            if _leaves(getattr(one, field, []), deeper):
                return True
        if _leaves(getattr(one, "orelse", []), inner):
            return True
    return False


def _expressions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield from ast.walk(child)


def _exits(node: ast.AST) -> bool:
    """``sys.exit()``, ``ctx.check()``, ``next(it)``: calls that are known to raise at the end."""
    calls = [one for one in _expressions(node) if isinstance(one, ast.Call)]
    return any(
        getattr(one.func, "attr", getattr(one.func, "id", "")) in ("exit", "_exit", "check_cancelled", "next")
        and not (getattr(one.func, "id", "") == "next" and len(one.args) > 1)
        for one in calls
    )
