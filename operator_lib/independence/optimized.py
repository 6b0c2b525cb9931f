"""`operator_lib.optimize`: an operator like the one given, whose independent calls run at the same time."""

from __future__ import annotations

import ast
import copy
import functools
from collections.abc import Callable
from dataclasses import replace
from types import FunctionType
from typing import Any

from operator_lib import tree
from operator_lib.core import Operator
from operator_lib.decorator import FunctionOperator
from operator_lib.independence import checking, names
from operator_lib.independence.compiled import compiled
from operator_lib.independence.flow import Flow
from operator_lib.independence.prover import definition_of
from operator_lib.independence.reading import Reading
from operator_lib.independence.report import POSSIBLE, Explained, Report, marked
from operator_lib.independence.rewrite import Rewriter
from operator_lib.independence.settings import Settings
from operator_lib.independence.witness import Same, of_class
from operator_lib.independence.written import Rewritten
from operator_lib.trace import build, source
from operator_lib.trace.dag import DAG


class Plan:
    """What became of one operator: its function taken apart, or why it was left."""

    def __init__(self, op: Any, settings: Settings) -> None:
        self.op = op
        self.settings = settings
        self.left = ""
        self.rewritten: Rewritten | None = None
        self.function: FunctionType | None = None
        self.original = definition_of(op)
        self._read()

    def _read(self) -> None:
        original = self.original
        if original is None or not _calls_forward(self.op):
            self.left = "no function of Python's is behind it"
            return
        file = source.load(original.__code__.co_filename)
        definition = file.function(original.__code__) if file is not None else None
        if not isinstance(definition, ast.FunctionDef):
            self.left = "there is no source" if definition is None else "it is no plain function"
            return
        self.left = names.refused(definition)
        me = None if isinstance(self.op, FunctionOperator) else next(iter(names.parameters(definition)), None)
        if me is not None and me in names.stores(ast.Module(definition.body, [])):
            self.left = f"{me} is assigned"
        if self.left:
            return
        reading = Reading(original, self.op, me)
        self.rewritten = Rewriter(definition, reading).rewrite()
        below = [child for _, child in tree.named_children(self.op)]
        within = bool(self.rewritten.sites) and any(self.settings.knows(child) for child in below)
        if not within and not self._gains():
            self.left = "nothing in it could overlap"
            return
        asked = [witness.holds for witness in (*reading.witnesses, *self._itself())]
        sites = self.rewritten.sites

        def holds() -> bool:
            for one in asked:  # noqa: SIM110  # a generator takes twice the time
                if not one():
                    return False
            return True

        self.function = compiled(self.rewritten.definition, original, lambda: Flow(self.settings, sites, holds))
        self.settings.add(self.op, self.function, original)

    def _gains(self) -> bool:
        """Whether any two calls in it may overlap."""
        assert self.rewritten is not None
        taken = [place for place in self.rewritten.places if place.site is not None]
        if len(taken) < 2 and not any(place.rounds is not None for place in taken):
            return False
        return any(pair.reason.startswith(POSSIBLE) for pair in Explained(self, self.settings).pairs())

    def _itself(self) -> list[Any]:
        if isinstance(self.op, FunctionOperator):
            return [Same(tree.state(self.op), "__wrapped__", self.original)]
        return []


def _calls_forward(op: Any) -> bool:
    """Whether a call of it is one of `forward`, and nothing of the user's stands between."""
    entry = of_class(type(op), "__call__")
    return getattr(entry, "__module__", "").startswith("operator_lib.")


def optimize(
    op: Any, parallel: bool = True, dedupe: bool = True, workers: int | None = None, check: bool = False
) -> Any:
    """An operator with the same interface, state and results, that does at the same time what is proven independent.

    Args:
        op: the operator; the result shares its attributes.
        parallel: calls that are proven to change nothing start as soon as their inputs exist.
        dedupe: of such calls with the same inputs, one is made.
        workers: calls at the same time (default: 32 that wait, as many as there are processors that compute).
        check: make every call both ways, and say where they differ (`NotPure`): for development.

    Raises:
        TypeError: `op` is no operator.
        ValueError: `workers` is no positive number.
    """
    if not isinstance(op, Operator):
        raise TypeError(f"optimize() takes an operator, got {op!r} of type {type(op).__qualname__}")
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise ValueError(f"workers: must be a positive int or None, got {workers!r}")
    given = getattr(type(op), "_operator_optimized", None)
    if given is not None:
        op = given.original
    settings = Settings(op, parallel, dedupe, workers, check)
    plans = [Plan(node, settings) for _, node in reversed(list(tree.named_operators(op))) if isinstance(node, Operator)]
    return _made(op, plans, settings)


class Optimized:
    """What is known about an optimized operator; kept at its class, as its attributes are those of the original."""

    def __init__(self, original: Any, plans: list[Plan], settings: Settings) -> None:
        self.original = original
        self.plan = plans[-1]
        self.plans = plans[::-1]
        """Those of the tree, parent first."""
        self.settings = settings


def _made(op: Any, plans: list[Plan], settings: Settings) -> Any:
    cls: Any = type(op)
    plan = plans[-1]
    body: dict[str, Any] = {
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "__doc__": cls.__doc__,
        "__reduce_ex__": _reduce,
        "__copy__": _copy,
        "_operator_optimized": Optimized(op, plans, settings),
    }
    if plan.function is not None or settings.check:
        body["forward"] = _forward(op, plan, settings)
        if isinstance(op, FunctionOperator):
            body["__call__"] = Operator.__call__
    made = type(cls)(cls.__name__, (cls,), body)
    for name, method in (("report", _report), ("dag", _dag)):
        if of_class(cls, name) is of_class(Operator, name):  # else it is the user's
            setattr(made, name, method)
    new = object.__new__(made)
    new.__dict__ = op.__dict__
    return new


def _forward(op: Any, plan: Plan, settings: Settings) -> Callable[..., Any]:
    """What takes the place of `forward`."""
    function = plan.function
    if isinstance(op, FunctionOperator):
        inner = function or op.__dict__["__wrapped__"]
        if settings.check:
            return lambda self, /, *args, **kwargs: checking.check(op, inner, args, kwargs)
        return lambda self, /, *args, **kwargs: inner(*args, **kwargs)
    found: Any = function or type(op).forward
    if settings.check:
        return lambda self, /, *args, **kwargs: checking.check(op, functools.partial(found, self), args, kwargs)
    return found


def _report(self: Any) -> Report:
    """What was done, what was not, and why: for every pair of calls that could overlap."""
    known: Optimized = type(self)._operator_optimized
    paths = tree.paths(known.original)
    below = [
        replace(Explained(plan, known.settings).report(), name=paths.get(id(plan.op), ""))
        for plan in known.plans[1:]
        if plan.function is not None
    ]
    return replace(Explained(known.plan, known.settings).report(), inside=tuple(below))


def _dag(self: Any) -> DAG:
    """The static graph; every call says what it may overlap with, or what keeps it in its place."""
    known: Optimized = type(self)._operator_optimized
    return marked(build(known.original), Explained(known.plan, known.settings))


def _copy(self: Any) -> Any:
    """A copy has attributes of its own."""
    known: Optimized = type(self)._operator_optimized
    settings = known.settings
    return optimize(copy.copy(known.original), settings.parallel, settings.dedupe, settings.workers, settings.check)


def _reduce(self: Any, protocol: Any) -> Any:
    known: Optimized = type(self)._operator_optimized
    settings = known.settings
    return optimize, (known.original, settings.parallel, settings.dedupe, settings.workers, settings.check)
