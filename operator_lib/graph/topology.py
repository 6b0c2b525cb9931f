"""The shape of a graph: which function follows which, in what order, and what cannot be."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any, Protocol

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
    if isinstance(function, Operator):
        return tree.name_of(function)
    return getattr(function, "__name__", None) or type(function).__name__


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
            raise TypeError(f"{name_of(function)} has no forward(), so a graph cannot call it: define one")
        return function
    if inspect.isfunction(function) or inspect.isbuiltin(function) or inspect.ismethod(function):
        wrapped: Operator = reach("decorator", "wrap_function")(function, {})
        return wrapped
    raise TypeError(f"a graph is made of functions and operators, got {function!r} of type {type(function).__name__}")


def signature(op: Operator) -> inspect.Signature:
    """What is passed to a function of a graph: without the context; a reducer takes the collection."""
    return for_callers(inspect.signature(tree.called(op)), options.of(op))


class Facts(Protocol):
    """What a topology asks about a function."""

    @property
    def reduces(self) -> bool:
        """Whether it folds what arrives."""
        ...

    @property
    def takes(self) -> int | None:
        """How many arguments it needs; None: that cannot be told."""

    @property
    def routes(self) -> Sequence[str]:
        """The functions that its annotation ``RouteTo[value, targets]`` names."""
        ...


class OfOperator:
    """The `Facts` of a live function."""

    def __init__(self, op: Operator) -> None:
        self._op = op

    @property
    def reduces(self) -> bool:
        return getattr(options.of(self._op), "accumulate", None) is not None

    @property
    def takes(self) -> int | None:
        try:
            parameters = signature(self._op).parameters.values()
        except (TypeError, ValueError):  # written in C: it takes one value, as most functions do
            return None
        return sum(p.kind in POSITIONAL and p.default is p.empty for p in parameters)

    @property
    def routes(self) -> Sequence[str]:
        hint = _returns(tree.called(self._op))
        origin: Any = typing.get_origin(hint)
        if not (isinstance(origin, type) and issubclass(origin, RouteTo)):
            return ()
        target = typing.get_args(hint)[-1]
        targets = typing.get_args(target) if typing.get_origin(target) in (typing.Union, UnionType) else (target,)
        return [name_of(said) for said in targets if _is_function(said)]


class Topology:
    """A checked graph.

    Attributes:
        order: names, each behind all that it follows.
        after, before: successors and predecessors of each, in the order of declaration.
        reducers: functions that fold what arrives.
        joins: functions that take one argument from each predecessor.
    """

    __slots__ = ("after", "before", "joins", "order", "reducers", "start")

    def __init__(
        self, functions: Mapping[str, Facts], edges: Sequence[tuple[str, str]], start: str, partial: bool = False
    ) -> None:
        """`partial`: there may be more edges than are known. Raises ValueError, which names every mistake."""
        self.start = start
        after: dict[str, list[str]] = {name: [] for name in functions}
        before: dict[str, list[str]] = {name: [] for name in functions}
        for source, target in edges:
            after[source].append(target)
            before[target].append(source)
        self.after = {name: tuple(targets) for name, targets in after.items()}
        self.before = {name: tuple(sources) for name, sources in before.items()}
        self.order = _sorted(self.after, self.before)
        problems = _cycle(self.order, self.before)
        if not partial:
            problems += [*_unreachable(self.after, start), *_misrouted(functions, self.after)]
        if problems:
            raise ValueError("; ".join(problems))
        self.reducers = frozenset(name for name, function in functions.items() if function.reduces)
        self.joins = frozenset(name for name, function in functions.items() if self._joins(name, function))

    def _joins(self, name: str, function: Facts) -> bool:
        """Two ways meet where a function needs as many arguments as there are functions before it."""
        count = len(self.before[name])
        return count > 1 and name not in self.reducers and function.takes == count


def _misrouted(functions: Mapping[str, Facts], after: Mapping[str, Sequence[str]]) -> list[str]:
    """Annotations ``RouteTo[value, targets]`` that name what does not follow."""
    found: list[str] = []
    for name, function in functions.items():
        known = ", ".join(after[name]) or "nothing"
        for said in function.routes:
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
