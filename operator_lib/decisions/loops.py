"""Loops in which every nanosecond counts: marked for the first rounds, and as they were for the rest.

::

    if S.on:
        for x in S.head(xs):          # at most `ROUNDS` of them
            <marked>
        else:
            for x in S.tail():        # of the same iterator
                <as it was>
            else:
                <else>
        S.left()
    else:
        for x in xs:
            <as it was>
        else:
            <else>
"""

from __future__ import annotations

import ast
import builtins
import copy
from typing import Any

from operator_lib.decisions.pieces import at, call, on, when

_BUILTINS = frozenset(dir(builtins))


def quick(node: ast.For | ast.AsyncFor | ast.While, me: str) -> bool:
    """Whether a loop calls no operators, and so may take less time for a round than a mark would be worth.

    What it calls is builtins, and methods of other things than `me`, the operator.
    """
    inside = list(ast.walk(node))
    waits = any(isinstance(one, ast.Await | ast.Yield | ast.YieldFrom) for one in inside)
    called = (one.func for one in inside if isinstance(one, ast.Call))
    return not isinstance(node, ast.AsyncFor) and not waits and all(_harmless(one, me) for one in called)


def _harmless(function: ast.expr, me: str) -> bool:
    if isinstance(function, ast.Name):
        return function.id in _BUILTINS
    base = function
    while isinstance(base, ast.Attribute | ast.Subscript):
        base = base.value
    return isinstance(function, ast.Attribute) and not (isinstance(base, ast.Name) and base.id == me)


def twice_for(mark: str, node: Any, plain: Any) -> list[ast.stmt]:
    """`node`, whose body and ``else`` are marked, and the same as it was."""
    rest = copy.deepcopy(plain)
    rest.iter, rest.orelse = call(mark, "tail", [], node.iter), node.orelse
    node.iter = call(mark, "head", [node.iter], node.iter)
    node.body.insert(0, at(ast.Expr(call(mark, "round", [], node.target)), node.target))
    node.orelse = [rest]
    return [at(ast.If(on(mark, node), [node, when(mark, "on", "left", node)], [plain]), node)]


def twice_while(mark: str, node: ast.While, plain: ast.While) -> ast.stmt:
    """`node`, whose condition, body and ``else`` are marked, and the same as it was."""
    asked: Any = node.test  # `marked if S.on else plain`
    rest = copy.deepcopy(plain)
    rest.orelse = copy.deepcopy(node.orelse)
    node.test = at(ast.BoolOp(ast.And(), [call(mark, "first", [], asked), asked.body]), asked)
    node.orelse = [at(ast.If(call(mark, "rest", [], asked), [rest], node.orelse), node)]
    return at(ast.If(on(mark, node), [node], [plain]), node)
