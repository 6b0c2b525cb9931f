"""A `Graph` that is made by the source that is read: its functions and edges, as far as the source tells them."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

from operator_lib import tree
from operator_lib.trace.args import Args
from operator_lib.trace.declaration import PLACE, Declaration, Gap, of
from operator_lib.trace.frame import Frame, Heap
from operator_lib.trace.live import is_graph
from operator_lib.trace.reader import Reader
from operator_lib.trace.resolve import entry
from operator_lib.trace.said import said, successors
from operator_lib.trace.static import function_operator
from operator_lib.trace.values import (
    Choice,
    Class,
    Const,
    External,
    ForeignObject,
    Function,
    FunctionOperator,
    Instance,
    Items,
    Many,
    Text,
    Thing,
    Value,
)  # fmt: skip
from operator_lib.trace.world import World


def declare(r: Reader, f: Frame, made: Instance, args: Args, node: ast.AST) -> None:
    """``Graph(name, start_node, description=...)``."""
    given = _given(args, "name", "start_node", "description")
    name, doc = (_text(given.get(key)) for key in ("name", "description"))
    building = _Building(r, f, Declaration(name, doc), node)
    found = building.take(given.get("start_node", Value()), "start_node")
    start = found[0][0] if len(found) == 1 else ""
    if len(found) > 1:
        building.gap(given["start_node"], "start_node")
    _keep(f, made, replace(building.done(), start=start))


def extend(r: Reader, f: Frame, made: Instance, method: str, args: Args, node: ast.AST) -> None:
    """``graph.add_node(...)``, ``graph.add_edge(...)``, ``graph.add_edges(...)``."""
    declaration = of(made, f.env.heap, r.world)
    if declaration is None:
        return
    building = _Building(r, f, declaration, node)
    if method == "add_node":
        building.take(_given(args, "function", "node").get("function", Value()), "function")
    else:
        given = _given(args, "source", "target" if method == "add_edge" else "targets")
        sources = building.take(given.get("source", Value()), "source")
        for target in _each(given.get("target")) if method == "add_edge" else _several(given.get("targets")):
            building.connect(sources, building.take(target, "target"), f.maybe)
    _keep(f, made, building.done())


# What the front end for Tensorlake calls the parameters.
_ALSO = {"from_node": "source", "to_node": "target", "node": "function", "indexify_fn": "function"}


def _given(args: Args, *names: str) -> dict[str, Value]:
    """Arguments by the names of the parameters."""
    named = {_ALSO.get(name, name): value for name, value in args.keywords.items()}
    if "targets" in names and "target" in named:
        named["targets"] = named.pop("target")
    return {**dict(zip(names, args.positional, strict=False)), **named}


def _each(value: Value | None) -> list[Value]:
    return [value or Value()]


def _several(value: Value | None) -> list[Value]:
    what = value.what if value is not None else None
    if isinstance(what, Items):
        return list(what.values.values())
    if isinstance(what, Many):  # some of them, or none
        inside = what.element.what
        return [Value(what=Choice(inside.options if isinstance(inside, Choice) else (inside,)) if inside else None)]
    return [Value()]


def _text(value: Value | None) -> str:
    what = value.what if value is not None else None
    return what.value if isinstance(what, Const) and isinstance(what.value, str) else ""


def _keep(f: Frame, made: Instance, declaration: Declaration) -> None:
    f.env.heap[made.identity, PLACE] = Value(what=declaration)


class _Building:
    """One statement that adds to a declaration, as `Graph` does it."""

    def __init__(self, r: Reader, f: Frame, declaration: Declaration, node: ast.AST) -> None:
        self._r, self._f, self._node = r, f, node
        self._before = declaration
        self._functions = dict(declaration.functions)
        self._edges = dict(declaration.edges)
        self._given = dict(declaration.given)
        self._gaps = dict.fromkeys(declaration.gaps)
        self._problems = list(declaration.problems)

    def done(self) -> Declaration:
        return replace(
            self._before,
            functions=self._functions,
            edges=self._edges,
            given=self._given,
            gaps=tuple(self._gaps),
            problems=tuple(dict.fromkeys(self._problems)),
        )

    def take(self, value: Value, role: str) -> list[tuple[str, str]]:
        """Take a function in, with all that follows it: its name, and why it may be another one."""
        todo: list[str] = []
        found = self._names(value, role, todo)
        while todo:
            source = todo.pop()
            for successor in successors(self._functions[source], self._r.world):
                self.connect([(source, "")], self._names(successor, "next", todo), "")
        return found

    def connect(self, sources: list[tuple[str, str]], targets: list[tuple[str, str]], doubt: str) -> None:
        """Edges from each to each."""
        for source, perhaps in sources:
            for target, maybe in targets:
                why = doubt or perhaps or maybe
                self._edges[source, target] = self._edges.get((source, target), why) and why

    def gap(self, value: Value, role: str) -> None:
        """It is not known which function is meant."""
        self._gaps[Gap(self._node, self._f.file, value.name or role)] = None

    def _names(self, value: Value, role: str, todo: list[str]) -> list[tuple[str, str]]:
        what = value.what
        if not isinstance(what, Choice):
            name = self._name(what, todo)
            if name is None:
                self.gap(value, role)
            return [] if name is None else [(name, "")]
        options = [o for o in what.options if type(o) is not External and _stands(o)] or list(what.options)
        names = [self._name(option, todo) for option in options]
        if None in names:
            self.gap(value, role)
        return [(name, "choice") for name in dict.fromkeys(names) if name is not None]

    def _name(self, what: Thing | None, todo: list[str]) -> str | None:
        """The name of a function in this graph; a new one is still to be asked what follows it."""
        if isinstance(what, Const) and isinstance(what.value, str):
            if what.value not in self._functions:
                if not self._gaps:  # else it may well be there
                    self._problems.append(f"has no function {what.value!r}; it has {', '.join(self._functions)}")
                return None
            return what.value
        if not _stands(what):
            return None
        name, key = name_of(what, self._f.env.heap, self._r.world), _key(what)
        if self._given.get(key) == name:
            return name
        op = self._operator(what)
        if op is None:
            return None
        if name in self._functions:
            self._problems.append(
                f"has two functions called {name!r}; give one another name, as with operator(name=...) or "
                f"with_options(name=...)"
            )
            return name
        self._functions[name], self._given[key] = op, name
        todo.append(name)
        return name

    def _operator(self, what: Thing | None) -> Instance | None:
        """As `topology.as_operator`: a class is made once, a plain function is wrapped."""
        if isinstance(what, Class):
            from operator_lib.trace.expand import construct

            with self._r.silence():
                what = construct(self._r, self._f, what, Args.none(), self._node).what
        if isinstance(what, Instance):
            if not isinstance(what, FunctionOperator) and entry(what, self._r.world) is None and not _graph(what):
                self._problems.append(f"cannot call {what.title}, which has no forward(): define one")
            return what
        return function_operator(what) if what is not None else None


def name_of(what: Thing | None, heap: Heap, world: World) -> str:
    """What a function is called in a graph, see `topology.name_of`."""
    chosen = said(what, world).get("name")
    if isinstance(chosen, Const) and isinstance(chosen.value, str):
        return chosen.value
    if isinstance(what, Instance):
        inner = of(what, heap, world) if what.live is None else None
        if inner is not None:
            return inner.name
        return what.title if what.live is None else tree.name_of(what.live)
    return getattr(what, "name", "").rpartition(".")[2]


def _graph(what: Instance) -> bool:
    found = what.cls.find("forward")
    return found is None or (isinstance(found.owner, type) and is_graph(found.owner))


def _stands(what: Thing | None) -> bool:
    """Whether it is a function or an operator, as far as can be told."""
    if isinstance(what, Instance | Class):
        return what.operator
    if isinstance(what, External):
        return not isinstance(what, ForeignObject | Text) and "()" not in what.name and " " not in what.name
    return isinstance(what, Function)


def _key(what: Thing | None) -> Any:
    """Which function it is."""
    if isinstance(what, Function):
        return id(what.node), id(what.home), getattr(what.bound, "identity", 0)
    if isinstance(what, Instance):
        return what.identity
    return what.key if isinstance(what, Class) else getattr(what, "name", None)
