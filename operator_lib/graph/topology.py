"""The shape of a graph: which function follows which, in what order, and what cannot be."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any

from operator_lib import options, tree
from operator_lib.core import Operator, reach
from operator_lib.graph.values import RouteTo
from operator_lib.wire.callers import for_callers

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def name_of(function: Any) -> str:
    """What a function is called in a graph: its option `name`, else the name of the function or class."""
    chosen = options.of(function)
    if chosen is not None and chosen.name:
        return chosen.name
    return function.__name__ if isinstance(function, type) else tree.name_of(function)


def as_operator(function: Any) -> Operator:
    """The operator that stands in a graph for what was given: a class is made once, a plain function is wrapped.

    Raises:
        TypeError: it is nothing that can be called with a value.
    """
    if isinstance(function, type) and issubclass(function, Operator):
        try:
            function = function()
        except TypeError as problem:
            raise TypeError(
                f"{function.__name__} cannot be made without arguments ({problem}); give the graph an object of it"
            ) from problem
    if isinstance(function, Operator):
        if getattr(type(function), "forward", None) is Operator.forward:
            raise TypeError(f"{name_of(function)} has no forward(), so a graph cannot call it")
        return function
    if inspect.isfunction(function) or inspect.isbuiltin(function) or inspect.ismethod(function):
        wrapped: Operator = reach("decorator", "wrap_function")(function, {})
        return wrapped
    raise TypeError(f"a graph is made of functions and operators, got {function!r} of type {type(function).__name__}")


def signature(op: Operator) -> inspect.Signature:
    """What is passed to a function of a graph: without the context; a reducer takes the collection."""
    chosen = options.of(op) or options.Options()
    return for_callers(
        inspect.signature(tree.called(op)), use_ctx=chosen.use_ctx, reduces=chosen.accumulate is not None
    )


class Topology:
    """A checked graph.

    Attributes:
        order: names, each behind all that it follows.
        after, before: successors and predecessors of each, in the order of declaration.
        reducers: functions that fold what arrives.
        joins: functions that take one argument from each predecessor.
    """

    __slots__ = ("after", "before", "joins", "order", "reducers", "start")

    def __init__(self, functions: Mapping[str, Operator], edges: Sequence[tuple[str, str]], start: str) -> None:
        """Raises ValueError, which names every mistake."""
        self.start = start
        after: dict[str, list[str]] = {name: [] for name in functions}
        before: dict[str, list[str]] = {name: [] for name in functions}
        for source, target in edges:
            after[source].append(target)
            before[target].append(source)
        self.after = {name: tuple(targets) for name, targets in after.items()}
        self.before = {name: tuple(sources) for name, sources in before.items()}
        self.order = _sorted(self.after, self.before)
        problems = [*_cycle(self.order, self.before), *_unreachable(self.after, start)]
        problems += _misrouted(functions, self.after)
        if problems:
            raise ValueError("; ".join(problems))
        self.reducers = frozenset(n for n, op in functions.items() if _option(op, "accumulate") is not None)
        self.joins = frozenset(n for n, op in functions.items() if self._joins(n, op))

    def _joins(self, name: str, op: Operator) -> bool:
        """Two ways meet where a function needs as many arguments as there are functions before it."""
        count = len(self.before[name])
        if count < 2 or name in self.reducers:
            return False
        try:
            taken = signature(op).parameters.values()
        except (TypeError, ValueError):  # written in C: it takes one value, as most functions do
            return False
        return sum(p.kind in POSITIONAL and p.default is p.empty for p in taken) == count


def _misrouted(functions: Mapping[str, Operator], after: Mapping[str, Sequence[str]]) -> list[str]:
    """Annotations ``RouteTo[value, targets]`` that name what does not follow."""
    found: list[str] = []
    for name, op in functions.items():
        hint = _returns(tree.called(op))
        origin: Any = typing.get_origin(hint)
        if not (isinstance(origin, type) and issubclass(origin, RouteTo)):
            continue
        target = typing.get_args(hint)[-1]
        targets = typing.get_args(target) if typing.get_origin(target) in (typing.Union, UnionType) else (target,)
        known = ", ".join(after[name]) or "nothing"
        for said in map(name_of, filter(_is_function, targets)):
            if said not in after[name]:
                found.append(f"{name} says that it routes to {said!r}, which does not follow it; what follows: {known}")
    return found


def _returns(function: Any) -> Any:
    """The annotation of what is returned; one that is text is read when it speaks of routing."""
    hint = getattr(function, "__annotations__", {}).get("return")
    if isinstance(hint, str) and RouteTo.__name__ in hint:
        try:
            return typing.get_type_hints(function).get("return")
        except Exception:  # it names what only the author can see: nothing is claimed about it
            return None
    return hint


def _is_function(target: Any) -> bool:
    return isinstance(target, Operator) or (isinstance(target, type) and issubclass(target, Operator))


def _option(op: Operator, name: str) -> Any:
    return getattr(options.of(op), name, None)


def _sorted(after: Mapping[str, Sequence[str]], before: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Names in topological order, those of one depth as declared; what lies on or behind a circle is left out."""
    missing = {name: len(sources) for name, sources in before.items()}
    found = [name for name, count in missing.items() if not count]
    for name in found:
        for target in after[name]:
            missing[target] -= 1
            if not missing[target]:
                found.append(target)
    return tuple(found)


def _cycle(order: Sequence[str], before: Mapping[str, Sequence[str]]) -> list[str]:
    """One circle among what could not be sorted, in words."""
    left = before.keys() - set(order)
    if not left:
        return []
    name, seen = min(left, key=list(before).index), dict[str, None]()
    while name not in seen:  # everything left follows something that is left, so this comes round
        seen[name] = None
        name = next(source for source in before[name] if source in left)
    circle = list(seen)[list(seen).index(name) :]
    way = " -> ".join([*reversed(circle), circle[-1]])
    return [f"the functions form a cycle: {way}; a loop belongs inside of a function"]


def _unreachable(after: Mapping[str, Sequence[str]], start: str) -> list[str]:
    seen, todo = {start}, [start]
    while todo:
        fresh = [target for target in after[todo.pop()] if target not in seen]
        seen.update(fresh)
        todo += fresh
    lost = [name for name in after if name not in seen]
    return [f"not reachable from the start node {start}: {', '.join(lost)}; add an edge to each"] if lost else []
