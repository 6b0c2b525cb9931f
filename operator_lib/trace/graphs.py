"""A `Graph` of functions: its nodes and edges are those that it declares, nothing has to be read to find them."""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from operator_lib.trace.args import Args
from operator_lib.trace.frame import Env, Frame
from operator_lib.trace.graph import Draft
from operator_lib.trace.live import what_is
from operator_lib.trace.resolve import entry
from operator_lib.trace.source import SourceFile
from operator_lib.trace.values import Dep, Function, FunctionOperator, Instance, Value

if TYPE_CHECKING:
    from operator_lib.trace.reader import Reader

_HOME = ("operator_lib.graph.graph", "Graph")
_EMPTY = SourceFile("", "")
# What annotations call a value that is not handed on as one: its items are, or nothing can be said about it.
_SEVERAL = frozenset({"list", "List", "Map", "Sequence", "MutableSequence", "Collection", "Any", "object"})
_DRAWN = frozenset({"Iterator", "Iterable", "Generator", "AsyncIterator", "AsyncIterable", "AsyncGenerator"})
_ROUTED = "RouteTo"
_WRAPPERS = frozenset({"Union", "Optional", "Annotated"})


@dataclass(frozen=True, slots=True)
class Shape:
    """A live graph, checked."""

    name: str
    doc: str
    signature: inspect.Signature
    """Of the start node, as callers see it."""
    functions: dict[str, Any]
    topology: Any
    """`operator_lib.graph.topology.Topology`."""


def shape(what: Instance) -> Shape | None:
    """The declared graph behind an operator; None for every other operator, and for one that has another `forward`.

    Raises:
        ValueError: it has a cycle, or functions that are never reached.
    """
    live: Any = what.live
    if live is None or not declared(what):
        return None
    machinery: Any = type(live)
    signature = inspect.signature(machinery._operator_called(live))
    graph: Any = live
    return Shape(graph.name, graph.description or "", signature, graph.functions, machinery.check(graph))


def declared(what: Instance) -> bool:
    """Whether a call of it does what a `Graph` does."""
    classes: tuple[type, ...] = getattr(getattr(what.cls, "cls", None), "__mro__", ())
    home = next((c for c in classes if "forward" in c.__dict__), None)
    return home is not None and (home.__module__, home.__qualname__) == _HOME


def unmade(what: Instance) -> bool:
    """A graph that will be there when the program runs: its functions are not known before."""
    return what.live is None and declared(what)


def read(r: Reader, f: Frame, call: Draft | None, shape: Shape, args: Args) -> Value:
    """Its functions, inside the node of its call."""
    inner = Frame(None, _EMPTY, "", Env({}, f.env.heap), call=call, outer=f)
    given = _inputs(r, inner, shape, args)
    certain = _Certainty(shape)
    outputs: dict[str, Value] = {}
    for name in shape.topology.order:
        sources = [outputs[source] for source in shape.topology.before[name]]
        inner.maybe = certain.why_not(name)
        passed = given if name == shape.topology.start else Args([_together(sources)])
        outputs[name] = _function(r, inner, name, shape.functions[name], passed, certain)
    inner.maybe = ""
    ends = [outputs[name] for name in shape.topology.order if not shape.topology.after[name]]
    draft = r.graph.emit("return", "return", inner, None, key=("graph", "return"))
    r.graph.connect(_together(ends).deps, draft)
    f.env.heap = inner.env.heap
    return Value(frozenset({(call, "")})) if call is not None else Value()


def _inputs(r: Reader, inner: Frame, shape: Shape, args: Args) -> Args:
    """What the graph is called with goes to the start node."""
    found: dict[str, Value] = {}
    for name in shape.signature.parameters:
        draft = r.graph.emit("input", name, inner, None, key=("input", name))
        draft.outputs[:] = [name]
        r.graph.connect(args.deps, draft)
        found[name] = Value(frozenset({(draft, name)}))
    return Args([], found, labels=list(found))


def _together(values: list[Value]) -> Value:
    deps: frozenset[Dep] = frozenset()
    for value in values:
        deps |= value.deps
    return Value(deps)


def _function(r: Reader, inner: Frame, name: str, op: Any, args: Args, certain: _Certainty) -> Value:
    from operator_lib.trace.expand import read_operator

    what = what_is(op, r.world)
    assert isinstance(what, Instance)
    draft = r.graph.emit("call", name, inner, None, what.path, key=("graph", name))
    draft.arm = True  # no function follows another but by the edges
    draft.note(args.labels, draft.inputs)
    function = what.function if isinstance(what, FunctionOperator) else entry(what, r.world)
    if isinstance(function, Function):
        draft.file = r.world.shown(function.file.filename)
        line = function.node.lineno
        draft.position = (line, 0, line, 0)
        certain.read(name, function.node)
    inside = Frame(None, _EMPTY, "", Env({}, inner.env.heap), call=draft, outer=inner)
    read_operator(r, inside, draft, frozenset(), what, args, ast.Pass())
    inner.env.heap = inside.env.heap
    return Value(frozenset({(draft, "")}))


class _Certainty:
    """Which functions run whenever the graph does, as far as annotations tell."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._hands_on: dict[str, str] = {}  # why the output of a function may not reach what follows it
        self._why: dict[str, str] = {}

    def read(self, name: str, node: Any) -> None:
        self._hands_on[name] = _handed_on(getattr(node, "returns", None))

    def why_not(self, name: str) -> str:
        """Why a function may not run, or run for many values; empty when it runs."""
        topology = self._shape.topology
        reasons = [self._reason(source, name) for source in topology.before[name]]
        if name in topology.joins:
            why = next((reason for reason in reasons if reason), "")
        else:
            why = "" if not reasons or "" in reasons else "routed" if "routed" in reasons else reasons[0]
        self._why[name] = why
        return why

    def _reason(self, source: str, target: str) -> str:
        reducers = self._shape.topology.reducers
        why = self._why[source]
        own = "" if source in reducers else self._hands_on.get(source, "mapped")
        if target in reducers:  # it runs for an empty list, too
            why, own = why.replace("mapped", ""), own.replace("mapped", "")
        return why or own


def _handed_on(returns: ast.expr | None) -> str:
    """``routed``, ``mapped``, or nothing: one value that reaches every successor."""
    if returns is None:
        return "mapped"
    names = set(_names(returns))
    return "routed" if _ROUTED in names else "mapped" if names & (_SEVERAL | _DRAWN) else ""


def _names(node: ast.expr) -> list[str]:
    """The classes that an annotation allows, by their last names."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            return _names(ast.parse(node.value, mode="eval").body)
        except SyntaxError:
            return ["Any"]
    if isinstance(node, ast.BinOp):
        return [*_names(node.left), *_names(node.right)]
    if isinstance(node, ast.Subscript):
        base = _names(node.value)
        if base and base[0] in _WRAPPERS:
            inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            return [name for part in inside for name in _names(part)]
        return base
    if isinstance(node, ast.Attribute):
        return [node.attr]
    return [node.id] if isinstance(node, ast.Name) else []
