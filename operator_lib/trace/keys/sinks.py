"""Counters and logs: what code writes to and never looks at cannot change what it returns."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import CodeType

from operator_lib.trace.keys import code as codes
from operator_lib.trace.walked import walked

# Methods that put something in, and of which nobody asks for the result.
_PUTTING = frozenset("append appendleft extend add update insert put put_nowait set".split())  # noqa: SIM905


@dataclass(slots=True)
class Sinks:
    """Names from outside of a function, and attributes, that it only adds to: ``calls.append(x)``, ``self.n += 1``."""

    names: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    hands_on: bool = False
    """The object itself goes elsewhere, with all its attributes."""


@dataclass(slots=True)
class _Found:
    """How often a name or attribute stands in a function at all, and in statements that only add to it."""

    names: Counter[str] = field(default_factory=Counter[str])
    attributes: Counter[str] = field(default_factory=Counter[str])

    def count(
        self, parts: Iterable[ast.AST], names: set[str] | None = None, attributes: set[str] | None = None
    ) -> None:
        for part in parts:
            if isinstance(part, ast.Name) and (names is None or part.id in names):
                self.names[part.id] += 1
            elif isinstance(part, ast.Attribute) and (attributes is None or part.attr in attributes):
                self.attributes[part.attr] += 1


def sinks(code: CodeType) -> Sinks:
    """Those of a function; none where its source cannot be read."""
    node, _ = codes.source(code)
    if node is None:
        return Sinks(hands_on=True)
    whole, adding = _Found(), _Found()
    parts = walked(node)
    whole.count(parts)
    for statement in parts:
        target = _target(statement)
        if target is None or not _only_adds(statement, target):
            continue
        names, attributes = _rooted(target)
        adding.count(walked(statement), names, attributes)
    own = codes.owner(code)
    return Sinks(
        frozenset(n for n, count in adding.names.items() if count == whole.names[n]),
        frozenset(n for n, count in adding.attributes.items() if count == whole.attributes[n]),
        own is not None and whole.names[own] != _as_owner(parts, own),
    )


def _as_owner(parts: Iterable[ast.AST], own: str) -> int:
    """How often ``self`` stands before a dot."""
    values = (part.value for part in parts if isinstance(part, ast.Attribute))
    return sum(isinstance(value, ast.Name) and value.id == own for value in values)


def _target(statement: ast.AST) -> ast.expr | None:
    """What a statement changes."""
    if isinstance(statement, ast.AugAssign):
        return statement.target
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        return target if isinstance(target, ast.Subscript | ast.Attribute | ast.Name) else None
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        function = statement.value.func
        if isinstance(function, ast.Attribute) and function.attr in _PUTTING:
            return function.value
    return None


def _rooted(target: ast.expr) -> tuple[set[str], set[str]]:
    """The name and the attributes that ``self.seen[x].count`` goes through."""
    steps = list(_steps(target))
    names = {step.id for step in steps if isinstance(step, ast.Name)}
    return names, {step.attr for step in steps if names and isinstance(step, ast.Attribute)}


def _steps(target: ast.expr) -> Iterator[ast.expr]:
    """``self.seen[x]``, ``self.seen``, ``self``."""
    yield target
    if isinstance(target, ast.Attribute | ast.Subscript):
        yield from _steps(target.value)


def _only_adds(statement: ast.AST, target: ast.expr) -> bool:
    """Whether what it reads of the target goes nowhere but into it: ``n = n + 1``, ``seen[x] = seen.get(x, 0) + 1``."""
    names, attributes = _rooted(target)
    if not names:
        return False
    steps = {ast.unparse(step) for step in _steps(target)}
    for value in _values(statement):
        for call in (part for part in ast.walk(value) if isinstance(part, ast.Call)):
            asked = call.func.value if isinstance(call.func, ast.Attribute) and call.func.attr == "get" else None
            measured = call.args[0] if isinstance(call.func, ast.Name) and call.func.id == "len" and call.args else None
            if any(ast.unparse(part) in steps for part in (asked, measured) if part is not None):
                continue
            handed = (part for part in ast.walk(call) if _mentions(part, set() if attributes else names, attributes))
            if any(handed):
                return False
        if any(isinstance(part, ast.NamedExpr | ast.Await | ast.Yield) for part in ast.walk(value)):
            return False
    return True


def _values(statement: ast.AST) -> Iterator[ast.expr]:
    if isinstance(statement, ast.AugAssign | ast.Assign):
        yield statement.value
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        yield from statement.value.args
        yield from (keyword.value for keyword in statement.value.keywords)


def _mentions(part: ast.AST, names: set[str], attributes: set[str]) -> bool:
    return (isinstance(part, ast.Name) and part.id in names) or _attribute(part, attributes)


def _attribute(part: ast.AST, attributes: set[str]) -> bool:
    return isinstance(part, ast.Attribute) and part.attr in attributes
