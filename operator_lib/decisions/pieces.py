"""The source that talks to a site, in the place where something of the user's stands."""

from __future__ import annotations

import ast
from typing import Any, TypeVar

# What stands for a site until the code is bound to a log: a constant that no program has.
MARK = "\0operator_lib.decisions "

N = TypeVar("N", bound=ast.AST)


def at(node: N, place: Any) -> N:
    """The same node, and what is new in it, where `place` stands."""
    for one in ast.walk(node):
        if "lineno" in one._attributes and not hasattr(one, "lineno"):
            ast.copy_location(one, place)
    return node


def attribute(mark: str, name: str, place: Any) -> ast.expr:
    """``S.name``"""
    return at(ast.Attribute(ast.Constant(mark), name, ast.Load()), place)


def on(mark: str, place: Any) -> ast.expr:
    """``S.on``"""
    return attribute(mark, "on", place)


def call(mark: str, method: str, args: list[Any], place: Any) -> ast.expr:
    """``S.method(*args)``"""
    return at(ast.Call(attribute(mark, method, place), args, []), place)


def when(mark: str, gate: str, method: str, place: Any, *args: int) -> ast.stmt:
    """``if S.gate: S.method(*args)``"""
    said = ast.Expr(call(mark, method, [ast.Constant(one) for one in args], place))
    return at(ast.If(attribute(mark, gate, place), [said], []), place)
