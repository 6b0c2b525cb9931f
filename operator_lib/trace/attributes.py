"""Where the attributes of a class get their values, as its source says: class variables, fields, ``self.x = ...``."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from operator_lib.trace.normal import bound, normal
from operator_lib.trace.source import FunctionNode, SourceFile, statements
from operator_lib.trace.walked import walked

# What these write is a result of running the operator, and part of its own graph.
_RUNNING = ("forward", "__call__")


@dataclass(frozen=True, slots=True)
class Written:
    """One place that gives an attribute its value."""

    line: int
    value: ast.AST
    function: FunctionNode | None = None
    local: Collection[str] = ()
    """Names of the function."""


def written_in(cls: ast.ClassDef) -> dict[str, list[Written]]:
    """Attribute to the places where the class itself (not a base) writes it, in order."""
    found: dict[str, list[Written]] = {}
    for name, place in (*_class_level(cls), *_in_methods(cls)):
        found.setdefault(name, []).append(place)
    return found


def _class_level(cls: ast.ClassDef) -> Iterator[tuple[str, Written]]:
    for node in cls.body:
        if isinstance(node, ast.Assign):
            for target, value in _pairs(node):
                if isinstance(target, ast.Name):
                    yield target.id, Written(node.lineno, value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, Written(node.lineno, node.value or node.annotation)


def _in_methods(cls: ast.ClassDef) -> Iterator[tuple[str, Written]]:
    for method in cls.body:
        if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) or method.name in _RUNNING:
            continue
        first = next(iter([*method.args.posonlyargs, *method.args.args]), None)
        local = bound(method)
        for node in statements(method.body) if first is not None else ():
            for target, value in _targets(node):
                if not isinstance(target, ast.Attribute) or not isinstance(target.value, ast.Name):
                    continue
                if first is not None and target.value.id == first.arg:
                    yield target.attr, Written(node.lineno, value, method, local)


def _targets(node: ast.stmt) -> Iterator[tuple[ast.expr, ast.AST]]:
    if isinstance(node, ast.Assign):
        yield from _pairs(node)
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield node.target, node.value
    elif isinstance(node, ast.AugAssign):
        yield node.target, node
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        yield node.value.func.value, node.value  # self.stages.append(...)


def _pairs(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.AST]]:
    for target in node.targets:
        if isinstance(target, ast.Tuple | ast.List):
            values = node.value.elts if isinstance(node.value, ast.Tuple | ast.List) else []
            each = len(values) == len(target.elts) and not any(
                isinstance(e, ast.Starred) for e in (*values, *target.elts)
            )
            for i, part in enumerate(target.elts):
                yield part, values[i] if each else node.value
        else:
            yield target, node.value


def described(place: Written, file: SourceFile) -> str:
    """What is written there, with the defaults and local variables that it is made from."""
    if place.function is None:
        return normal(place.value, (), file.imports)
    text = normal(place.value, place.local, file.imports)
    names = [n.id for n in walked(place.value) if isinstance(n, ast.Name) and n.id in place.local]
    if not names:
        return text
    return text + "".join(normal(v, place.local, file.imports) for v in _sources(place.function, names))


def _sources(function: FunctionNode, names: list[str]) -> Iterator[ast.AST]:
    """Where local variables of a constructor come from: defaults of parameters, assignments."""
    spec = function.args
    positional = [*spec.posonlyargs, *spec.args]
    defaults = dict(
        zip([a.arg for a in positional[len(positional) - len(spec.defaults) :]], spec.defaults, strict=True)
    )
    defaults |= {a.arg: d for a, d in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if d is not None}
    assigned: dict[str, list[ast.AST]] = {}
    for node in statements(function.body) if isinstance(function.body, list) else ():
        for target, value in _targets(node):
            if isinstance(target, ast.Name):
                assigned.setdefault(target.id, []).append(value)
    done: set[str] = set()
    for name in names:  # grows while it is walked
        if name in done:
            continue
        done.add(name)
        for source in (*([defaults[name]] if name in defaults else []), *assigned.get(name, ())):
            yield source
            names.extend(n.id for n in walked(source) if isinstance(n, ast.Name))
