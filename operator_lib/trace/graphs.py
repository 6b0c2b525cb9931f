"""A `Graph` of functions: its nodes and edges are those that it declares, live or as the source that makes it says."""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from operator_lib import syntax, tree
from operator_lib.core import reach
from operator_lib.trace.args import Args
from operator_lib.trace.declaration import Declaration, Gap, of
from operator_lib.trace.declared import name_of
from operator_lib.trace.frame import Env, Frame, Heap
from operator_lib.trace.graph import Draft
from operator_lib.trace.live import is_graph, what_is
from operator_lib.trace.resolve import entry
from operator_lib.trace.said import said, uses_ctx
from operator_lib.trace.source import SourceFile
from operator_lib.trace.values import Class, Dep, Function, FunctionOperator, Instance, Thing, Value
from operator_lib.trace.world import World

if TYPE_CHECKING:
    from operator_lib.trace.reader import Reader

_EMPTY = SourceFile("", "")
# What annotations call a value that is not handed on as one: its items are, or nothing can be said about it.
_SEVERAL = frozenset({"list", "List", "Map", "Sequence", "MutableSequence", "Collection", "Any", "object"})
_DRAWN = frozenset({"Iterator", "Iterable", "Generator", "AsyncIterator", "AsyncIterable", "AsyncGenerator"})
_ROUTED = "RouteTo"
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_WRAPPERS = frozenset({"Union", "Optional", "Annotated"})


@dataclass(frozen=True, slots=True)
class Shape:
    """A graph, checked."""

    name: str
    doc: str
    signature: str
    """Of the start node, as callers see it, in brackets."""
    takes: Sequence[str]
    """Its parameters."""
    functions: Mapping[str, Instance]
    topology: Any
    """`operator_lib.graph.topology.Topology`; None: which function it starts with is not known."""
    doubts: Mapping[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """Why edges may not be there."""
    gaps: Sequence[Gap] = ()


def shape(what: Instance, heap: Heap, world: World) -> Shape | None:
    """The declared graph behind an operator; None for every other operator, and for one that has another `forward`.

    Raises:
        ValueError: it has a cycle, or functions that are never reached.
    """
    if not declared(what):
        return None
    if what.live is not None:
        graph: Any = what.live
        functions = {name: _instance(what_is(op, world)) for name, op in graph.functions.items()}
        topology = type(graph)._operator_checked(graph)
        text, takes = _callers(functions[topology.start], heap, world)
        return Shape(graph.name, graph.description or "", text, takes, functions, topology)
    declaration = of(what, heap, world)
    return _checked(declaration, heap, world) if declaration is not None else None


def _instance(what: Thing | None) -> Instance:
    assert isinstance(what, Instance)
    return what


def _checked(found: Declaration, heap: Heap, world: World) -> Shape:
    """What the source declares, with the mistakes that the program would end with."""
    title = f"graph {found.name}"
    if found.problems:
        raise ValueError("; ".join(f"{title} {problem}" for problem in found.problems))
    doc = inspect.cleandoc(found.doc)
    if not found.start:
        return Shape(found.name, doc, "(...)", (), {}, None, {}, found.gaps)
    facts = {name: _Facts(op, world) for name, op in found.functions.items()}
    try:
        topology = reach("graph.topology", "Topology")(facts, list(found.edges), found.start, partial=bool(found.gaps))
    except ValueError as problem:
        raise ValueError(f"{title}: {problem}") from None
    text, takes = _callers(found.functions[found.start], heap, world)
    return Shape(found.name, doc, text, takes, found.functions, topology, found.edges, found.gaps)


def declared(what: Instance) -> bool:
    """Whether a call of it does what a `Graph` does."""
    found = what.cls.find("forward")
    return found is not None and isinstance(found.owner, type) and is_graph(found.owner)


def unmade(what: Instance) -> bool:
    """A graph that the source makes: see `declared`."""
    return what.live is None and declared(what)


class _Facts:
    """What a topology asks about a function that was only read."""

    def __init__(self, op: Instance, world: World) -> None:
        self._op, self._world = op, world
        self._said = said(op, world)
        self.reduces: bool = "accumulate" in self._said

    @property
    def takes(self) -> int | None:
        function = _function_of(self._op, self._world)
        if function is None:
            seen = _builtin(self._op)
            return sum(p.kind in _POSITIONAL and p.default is p.empty for p in seen) if seen is not None else None
        spec = _spec(function, uses_ctx(self._op, self._world))
        return len(spec.posonlyargs) + len(spec.args) - len(spec.defaults)

    @cached_property
    def routes(self) -> list[str]:
        """The functions that the annotation ``RouteTo[value, targets]`` names."""
        function = _function_of(self._op, self._world)
        hint = getattr(function.node, "returns", None) if function is not None else None
        if isinstance(hint, ast.Constant) and isinstance(hint.value, str):
            hint = _read(hint.value)
        if function is None or not isinstance(hint, ast.Subscript) or _names(hint)[:1] != [_ROUTED]:
            return []
        inside = hint.slice.elts[-1] if isinstance(hint.slice, ast.Tuple) and hint.slice.elts else hint.slice
        whats = [function.lookup(node.id) for node in _either(inside)]
        stands = [w for w in whats if isinstance(w, Class | Instance) and w.operator]
        return [name_of(what, {}, self._world) for what in stands]


def _either(node: ast.expr) -> list[ast.Name]:
    """The names in ``Union[a, b]`` or ``a | b``."""
    if isinstance(node, ast.BinOp):
        return [*_either(node.left), *_either(node.right)]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        inner = _read(node.value)
        return _either(inner) if inner is not None else []
    if isinstance(node, ast.Subscript):
        inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return [name for part in inside for name in _either(part)]
    return [node] if isinstance(node, ast.Name) else []


def _read(text: str) -> ast.expr | None:
    try:
        return syntax.parse(text, mode="eval").body
    except SyntaxError:
        return None


# --- what callers pass -------------------------------------------------------------------------------------------


def _function_of(op: Instance, world: World) -> Function | None:
    found = op.function if isinstance(op, FunctionOperator) else entry(op, world)
    return found if isinstance(found, Function) else None


def _spec(function: Function, ctx: bool) -> ast.arguments:
    """The parameters, without the object and the request."""
    spec = ast.arguments(**{k: getattr(function.node.args, k) for k in ast.arguments._fields})
    for _ in range((function.bound is not None) + ctx):
        if spec.posonlyargs:
            spec.posonlyargs = spec.posonlyargs[1:]
        else:
            spec.args = spec.args[1:]
    spec.defaults = spec.defaults[max(0, len(spec.defaults) - len(spec.posonlyargs) - len(spec.args)) :]
    return spec


def _callers(op: Instance, heap: Heap, world: World) -> tuple[str, list[str]]:
    """The signature as callers of a graph that starts with it see it, and the names in it: see `wire.callers`."""
    inner = shape(op, heap, world)
    if inner is not None:
        return inner.signature, list(inner.takes)
    function = _function_of(op, world)
    found = _written(op, function, world) if function is not None else None
    seen: Sequence[inspect.Parameter] | None = None
    if op.live is not None:
        seen = list(reach("graph.topology", "signature")(op.live).parameters.values())
    elif found is None:
        seen = _builtin(op)
    if found is not None and (seen is None or found[1] == [p.name for p in seen]):
        return found
    if seen is None:
        return "(...)", []
    return f"({', '.join(str(p.replace(annotation=p.empty)) for p in seen)})", [p.name for p in seen]


def _builtin(op: Instance) -> Sequence[inspect.Parameter] | None:
    """The parameters of a function that Python has."""
    name = getattr(getattr(op, "function", None), "name", "")
    try:
        return list(inspect.signature(getattr(builtins, name)).parameters.values())
    except (TypeError, ValueError, AttributeError):
        return None


def _written(op: Instance, function: Function, world: World) -> tuple[str, list[str]]:
    spec = _spec(function, uses_ctx(op, world))
    if "accumulate" in said(op, world):
        items = [*spec.posonlyargs, *spec.args][1:2]
        hint = items[0].annotation if items else None
        several = ast.Subscript(ast.Name("list"), hint) if hint is not None else None
        spec = ast.arguments([], [ast.arg("items", several)], None, [], [], None, [])
    every = (*spec.posonlyargs, *spec.args, spec.vararg, *spec.kwonlyargs, spec.kwarg)
    return f"({ast.unparse(spec)})", [arg.arg for arg in every if arg is not None]


# --- reading -----------------------------------------------------------------------------------------------------


def read(r: Reader, f: Frame, call: Draft | None, shape: Shape, args: Args) -> Value:
    """Its functions, inside the node of its call."""
    inner = Frame(None, _EMPTY, "", Env({}, f.env.heap), call=call, outer=f)
    given = _inputs(r, inner, shape, args)
    _gaps(r, inner, shape, given)
    if shape.topology is None:
        return Value(frozenset({(call, "")})) if call is not None else Value()
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
    for name in shape.takes:
        draft = r.graph.emit("input", name, inner, None, key=("input", name))
        draft.outputs[:] = [name]
        r.graph.connect(args.deps, draft)
        found[name] = Value(frozenset({(draft, name)}))
    return Args([], found, labels=list(found))


def _gaps(r: Reader, inner: Frame, shape: Shape, given: Args) -> None:
    """A node for every function of which the source does not say which one it is."""
    for gap in shape.gaps:
        draft = r.opaque(inner, gap.node, gap.name, "graph-function", gap.file.segment(gap.node))
        draft.file, draft.arm = r.world.shown(gap.file.filename), True
        if shape.topology is None:
            r.graph.connect(given.deps, draft)


def _together(values: list[Value]) -> Value:
    deps: frozenset[Dep] = frozenset()
    for value in values:
        deps |= value.deps
    return Value(deps)


def _function(r: Reader, inner: Frame, name: str, what: Instance, args: Args, certain: _Certainty) -> Value:
    from operator_lib.trace.expand import read_operator

    what = _constructed(r, inner, what)
    draft = r.graph.emit("call", name, inner, None, what.path, key=("graph", name))
    draft.arm = True  # no function follows another but by the edges
    draft.note(args.labels, draft.inputs)
    place = getattr(type(what.live), "_operator_place", None)
    if place is not None:  # it says itself where it is written, in a language that nothing here reads
        draft.file, line = place(what.live)
        draft.position = (line, 0, line, 0)
        r.graph.connect(args.deps, draft)
        certain.whole(name)
        return Value(frozenset({(draft, "")}))
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


def _constructed(r: Reader, inner: Frame, what: Instance) -> Instance:
    """For an object on which the constructor has not been called yet: one on which it has, as its source says."""
    if what.live is None or not tree.state(what.live).get("_operator_stand_in"):
        return what
    from operator_lib.trace.expand import construct

    with r.silence():
        made = construct(r, inner, what.cls, Args.none(), ast.Pass()).what
    if not isinstance(made, Instance) or what.path is None:
        return what
    r.world.adopt(made, what.path, inner.env.heap)
    return made


class _Certainty:
    """Which functions run whenever the graph does, as far as annotations tell."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._hands_on: dict[str, str] = {}  # why the output of a function may not reach what follows it
        self._why: dict[str, str] = {}

    def read(self, name: str, node: Any) -> None:
        self._hands_on[name] = _handed_on(getattr(node, "returns", None))

    def whole(self, name: str) -> None:
        """Its output reaches every successor, as one value."""
        self._hands_on[name] = ""

    def why_not(self, name: str) -> str:
        """Why a function may not run, or run for many values; empty when it runs."""
        topology = self._shape.topology
        reasons = [self._reason(source, name) for source in topology.before[name]]
        if not reasons and name != topology.start:  # who calls it is not known
            reasons = ["graph-function"]
        if name in topology.joins:
            why = next((reason for reason in reasons if reason), "")
        else:
            why = "" if not reasons or "" in reasons else "routed" if "routed" in reasons else reasons[0]
        self._why[name] = why
        return why

    def _reason(self, source: str, target: str) -> str:
        reducers = self._shape.topology.reducers
        why = self._why[source] or self._shape.doubts.get((source, target), "")
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
        inner = _read(node.value)
        return _names(inner) if inner is not None else ["Any"]
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
