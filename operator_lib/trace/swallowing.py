"""Context managers behind which the program goes on although something was raised inside."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from operator_lib.trace.frame import Frame
from operator_lib.trace.normal import own_parts
from operator_lib.trace.reader import Reader
from operator_lib.trace.values import External, Function, Instance, Thing
from operator_lib.trace.walked import walked

_SWALLOWING = ("contextlib.suppress()", "pytest.raises()")


def swallows(r: Reader, f: Frame, item: ast.withitem, what: Thing | None) -> bool:
    """Whether what is raised in the block may end there; that code which cannot be read does so is not assumed."""
    if isinstance(what, External):
        return what.name in _SWALLOWING
    if isinstance(what, Instance):
        return any(_returns_true(what, name) for name in ("__exit__", "__aexit__"))
    made = item.context_expr
    if isinstance(made, ast.Call) and isinstance(made.func, ast.Name | ast.Attribute):
        callee = r.evaluate(f, made.func).what
        return isinstance(callee, Function) and callee.file.is_generator(callee.node) and _catches(callee.node)
    return False


def _returns_true(what: Instance, name: str) -> bool:
    member = what.cls.find(name)
    if member is None or not isinstance(member.what, Function):
        return False
    node = member.what.node
    if isinstance(node, ast.Lambda):
        return not _false(node.body)
    return any(isinstance(part, ast.Return) and not _false(part.value) for part in own_parts(list(node.body)))


def _false(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and not value.value)


def _catches(node: ast.AST) -> bool:
    """Whether a generator (``@contextmanager``) catches what is raised where it yields."""
    for part in walked(node):
        if isinstance(part, ast.Try) and any(_yields(statement) for statement in part.body):
            if any(not _raises(handler.body) for handler in part.handlers):
                return True
            leaves = (inner for statement in part.finalbody for inner in walked(statement))
            if any(isinstance(inner, ast.Return) for inner in leaves):
                return True
        elif isinstance(part, ast.With | ast.AsyncWith) and any(_yields(statement) for statement in part.body):
            names = {inner.attr if isinstance(inner, ast.Attribute) else inner.id for inner in _callees(part)}
            if "suppress" in names:
                return True
    return False


def _callees(block: ast.With | ast.AsyncWith) -> Iterator[ast.Name | ast.Attribute]:
    for item in block.items:
        if isinstance(item.context_expr, ast.Call) and isinstance(item.context_expr.func, ast.Name | ast.Attribute):
            yield item.context_expr.func


def _yields(statement: ast.stmt) -> bool:
    return any(isinstance(part, ast.Yield | ast.YieldFrom) for part in walked(statement))


def _raises(body: list[ast.stmt]) -> bool:
    return isinstance(body[-1], ast.Raise)
