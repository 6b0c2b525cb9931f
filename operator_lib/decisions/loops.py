"""Loops in which every nanosecond counts: marked for the first rounds, and as they were for the rest.

::

    if S.on:
        for x in (L := S.head(xs)).take():   # at most `ROUNDS` of them
            <marked>
        else:
            for x in L.rest:                 # of the same iterator
                <as it was>
            else:
                <else>
        L = None
        S.left()
    else:
        for x in xs:
            <as it was>
        else:
            <else>

`L` is a variable of the function, with a name that no program has: what a loop does next must not depend on whether
anybody listens any more.
"""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Callable
from typing import Any

from operator_lib.decisions.pieces import MARK, at, call, on, when

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
    own = _variable(mark)
    rest = copy.deepcopy(plain)
    rest.iter, rest.orelse = at(ast.Attribute(own(), "rest", ast.Load()), node.iter), node.orelse
    parts = ast.NamedExpr(own(ast.Store()), call(mark, "head", [node.iter], node.iter))
    node.iter = at(ast.Call(ast.Attribute(parts, "take", ast.Load()), [], []), node.iter)
    node.body.insert(0, when(mark, "counts", "round", node.target))
    node.orelse = [rest]
    forget = at(ast.Assign([own(ast.Store())], ast.Constant(None)), node)
    return [at(ast.If(on(mark, node), [node, forget, when(mark, "on", "left", node)], [plain]), node)]


def twice_while(mark: str, node: ast.While, plain: ast.While) -> ast.stmt:
    """`node`, whose condition, body and ``else`` are marked, and the same as it was."""
    asked: Any = node.test  # `marked if S.on else plain`
    rest = copy.deepcopy(plain)
    rest.orelse = copy.deepcopy(node.orelse)
    own = _variable(mark)
    first = ast.NamedExpr(own(ast.Store()), call(mark, "first", [], asked))
    node.test = at(ast.BoolOp(ast.And(), [first, asked.body]), asked)
    node.orelse = [at(ast.If(call(mark, "rest", [own()], asked), [rest], node.orelse), node)]
    return at(ast.If(on(mark, node), [node], [plain]), node)


def _variable(mark: str) -> Callable[..., ast.Name]:
    """The variable of a loop."""
    return lambda context=None: ast.Name(f".loop{mark[len(MARK) :]}", context or ast.Load())
