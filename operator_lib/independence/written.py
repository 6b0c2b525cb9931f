"""What taking a function apart leaves: its new source, the places of its calls; and pieces of syntax trees."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import Any

from operator_lib.independence import names
from operator_lib.independence.launching import Site
from operator_lib.independence.reading import Reading

FLOW, MADE = "__operator_flow__", "__operator_step_"
# A parameter of every function that a piece of code was made into.
OURS = "__operator_code__"
# Functions that take one value of a generator after another, at once.
CONSUMERS = frozenset(["sum", "min", "max", "any", "all", "list", "tuple", "sorted", "set", "frozenset", "dict"])


@dataclass(slots=True, eq=False)
class Place:
    """A call of an operator, as it is written."""

    call: ast.Call
    site: Site | None
    """None: it stays in its statement."""
    kept: str = ""
    """Why that is so."""
    rounds: tuple[int, int] | None = None
    """First and last line of the innermost loop around."""

    @property
    def text(self) -> str:
        return readable(self.call.func)


@dataclass(slots=True)
class Rewritten:
    """A function taken apart."""

    definition: ast.FunctionDef
    sites: dict[int, Site]
    barriers: dict[int, str]
    """Lines of statements that stay as they are, and why."""
    reading: Reading
    places: list[Place] = field(default_factory=list[Place])
    variables: set[str] = field(default_factory=set[str])


class Refused(Exception):
    """An expression cannot be taken apart; the statement stays as it is."""


LOOPS = (ast.For, ast.While, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp)


def readable(node: ast.expr) -> str:
    """As the user has written it."""
    return re.sub(rf"{MADE}\d+_", "", ast.unparse(node))


def lines_of(loop: Any) -> tuple[int, int] | None:
    return (loop.lineno, loop.end_lineno or loop.lineno) if loop is not None else None


class Split(ast.NodeTransformer):
    """``a, b = [], 0`` as two statements: nothing in between can fail."""

    def visit_Assign(self, node: ast.Assign) -> Any:
        target, value = node.targets[0], node.value
        if not (len(node.targets) == 1 and isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)):
            return node
        plain = all(isinstance(one, ast.Constant) or ast.unparse(one) in ("[]", "{}") for one in value.elts)
        if not plain or len(target.elts) != len(value.elts) or not all(isinstance(t, ast.Name) for t in target.elts):
            return node
        return [placed(ast.Assign([one], what), node) for one, what in zip(target.elts, value.elts, strict=True)]


class Renamed(ast.NodeTransformer):
    """The variables of a comprehension are its own."""

    def __init__(self, fresh: dict[str, str]) -> None:
        self.fresh = fresh

    def visit_Name(self, node: ast.Name) -> Any:
        return ast.copy_location(ast.Name(self.fresh.get(node.id, node.id), node.ctx), node)


def placed(node: Any, at: ast.AST) -> Any:
    return ast.copy_location(node, at)


def either(one: tuple[set[str], list[ast.stmt]], other: tuple[set[str], list[ast.stmt]]) -> set[str]:
    """Variables that have a value after an `if`; an arm that leaves has no say."""
    ends = (ast.Return, ast.Raise, ast.Continue, ast.Break)
    if one[1] and isinstance(one[1][-1], ends):
        return other[0]
    if other[1] and isinstance(other[1][-1], ends):
        return one[0]
    return one[0] & other[0]


def keeps_variables(node: ast.expr, wanted: set[str]) -> bool:
    """Whether a function made in it could look at variables after the expression has been evaluated."""
    at_once: set[int] = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id in CONSUMERS:
            at_once |= {id(arg) for arg in (*one.args, *(keyword.value for keyword in one.keywords))}
    return any(
        isinstance(one, ast.Lambda | ast.GeneratorExp) and id(one) not in at_once and names.loads(one) & wanted
        for one in ast.walk(node)
    )
