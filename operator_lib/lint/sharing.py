"""OP401: attributes that calls at the same time write."""

from __future__ import annotations

import ast
import threading
from collections.abc import Iterator

from operator_lib import options as option_rules
from operator_lib import tree
from operator_lib.decorator import FunctionOperator
from operator_lib.lint.finding import Finding
from operator_lib.lint.program import Method, Program

_CHANGERS = frozenset(
    "append extend insert pop remove clear update setdefault popitem add discard appendleft popleft sort".split()  # noqa: SIM905
)
_LOCKS = (type(threading.Lock()), type(threading.RLock()), threading.Condition, threading.Semaphore)
FIX = "hold a lock around it (with self.lock: ...), keep it in a local variable, or leave concurrency at 1"


def check(program: Program) -> Iterator[Finding]:
    """Writes of ``self`` outside of a lock, below a root with concurrency above 1."""
    own = option_rules.of(program.op)
    if own is None or own.concurrency < 2:
        return
    for method in program.methods:
        if method.builds or isinstance(method.op, FunctionOperator) or not method.me or not _runs(program, method):
            continue
        for line, target in _writes(method.node, method, False):
            words = f"{target} is written by up to {own.concurrency} calls at the same time"
            yield Finding("OP401", words, method.file, line, FIX)


def _runs(program: Program, method: Method) -> bool:
    """Of the root everybody can call every public method; of what is below, `forward`."""
    return method.path == "" or method.name in ("forward", "__call__")


def _writes(node: ast.AST, method: Method, locked: bool) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.With | ast.AsyncWith):
        locked = locked or any(_is_lock(item.context_expr, method) for item in node.items)
    if not locked:
        yield from _written(node, method)
    for child in ast.iter_child_nodes(node):
        yield from _writes(child, method, locked)


def _written(node: ast.AST, method: Method) -> Iterator[tuple[int, str]]:
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = [part for target in node.targets for part in _flat(target)]
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets = [node.target] if getattr(node, "value", None) is not None else []
    elif isinstance(node, ast.Delete):
        targets = node.targets
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGERS:
        targets = [node.func.value] if isinstance(node.func.value, ast.Attribute | ast.Subscript) else []
    for target in targets:
        base = target
        while isinstance(base, ast.Subscript) or (isinstance(base, ast.Attribute) and not _own(base, method)):
            base = base.value
        if isinstance(base, ast.Attribute) and not _of_a_thread(base.attr, method):
            yield target.lineno, ast.unparse(target)


def _flat(target: ast.expr) -> list[ast.expr]:
    return (
        [part for one in target.elts for part in _flat(one)] if isinstance(target, ast.Tuple | ast.List) else [target]
    )


def _own(node: ast.Attribute, method: Method) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == method.me


def _of_a_thread(name: str, method: Method) -> bool:
    """An attribute of which every thread has one of its own, or that does its own locking."""
    value = tree.state(method.op).get(name)
    return isinstance(value, threading.local) or type(value).__module__ in ("queue", "contextvars", "_queue")


def _is_lock(node: ast.expr, method: Method) -> bool:
    inner = node.func if isinstance(node, ast.Call) else node
    if not isinstance(inner, ast.Attribute | ast.Name):
        return False
    name = inner.attr if isinstance(inner, ast.Attribute) else inner.id
    value = tree.state(method.op).get(name)
    return isinstance(value, _LOCKS) or any(
        word in name.lower() for word in ("lock", "mutex", "semaphore", "condition")
    )
