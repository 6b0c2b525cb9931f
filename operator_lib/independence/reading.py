"""What expressions of the program itself do: the prover, asked about one after another of the same function."""

from __future__ import annotations

import ast
from types import FunctionType
from typing import Any

from operator_lib import tree
from operator_lib.independence.expressions import evaluate
from operator_lib.independence.prover import Prover
from operator_lib.independence.things import Cell, Data, Frame, Known, Several, Thing
from operator_lib.independence.witness import Witness


class Reading:
    """One function, with the operator that it belongs to."""

    def __init__(self, function: FunctionType, op: Any, me: str | None) -> None:
        self.me = (me,) if me is not None else ()
        self.prover = Prover()
        closure = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=False))
        self._frame = Frame({}, function.__code__.co_filename, function.__globals__, closure, ())
        self._known: dict[str, Thing] = {me: Known(op, me)} if me is not None else {}

    def _evaluate(self, node: ast.expr, variables: set[str]) -> tuple[Thing, list[str]]:
        p = self.prover
        found, p.obstacles, p.steps = p.obstacles, {}, 0
        for name in variables:
            if name not in self._known:
                self._known[name] = Data(frozenset([Cell(f"the variable {name}", True)]))
        self._frame.env = dict(self._known)
        value = evaluate(p, self._frame, node)
        obstacles = [one.does for one in p.obstacles.values()]
        p.obstacles = found
        return value, obstacles

    def is_operator(self, node: ast.expr, variables: set[str]) -> bool:
        """Whether a call of this is one of an operator, whichever of them it is."""
        value, _ = self._evaluate(node, variables)
        return bool(self._operators(value))

    def operators(self, node: ast.expr, variables: set[str]) -> list[Known]:
        """The operators that it may be."""
        return self._operators(self._evaluate(node, variables)[0])

    def _operators(self, value: Thing) -> list[Known]:
        options = value.options if isinstance(value, Several) else (value,)
        found = [one for one in options if isinstance(one, Known) and tree.is_operator(one.value)]
        return found if len(found) == len(options) else []

    def stands_in_the_way(self, node: ast.expr, variables: set[str]) -> str:
        """Why evaluating it cannot be moved; "" when it changes nothing, given plain data."""
        return "; ".join(self._evaluate(node, variables)[1])

    def is_builtin(self, name: str) -> bool:
        """Whether nothing of the program has taken this name."""
        return name not in self._frame.closure and name not in self._frame.globals

    @property
    def witnesses(self) -> list[Witness]:
        return list(self.prover.witnesses.values())
