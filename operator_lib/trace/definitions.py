"""Functions and classes defined on the way: closures, lambdas, decorators, local classes."""

from __future__ import annotations

import ast
import functools

from operator_lib.trace import expand
from operator_lib.trace.args import Args
from operator_lib.trace.frame import Frame
from operator_lib.trace.reader import Reader
from operator_lib.trace.source import FunctionNode
from operator_lib.trace.static import StaticClass, function_operator, is_operator_decorator
from operator_lib.trace.values import Dep, Deps, External, Function, Thing, Unknown, Value


def closure(r: Reader, f: Frame, node: FunctionNode, name: str) -> Value:
    """A local function or lambda, with the variables around it. Its defaults are evaluated here."""
    spec = node.args
    optional = [*spec.posonlyargs, *spec.args][-len(spec.defaults) :] if spec.defaults else []
    defaults = [*zip(optional, spec.defaults, strict=True), *zip(spec.kwonlyargs, spec.kw_defaults, strict=True)]
    given = {parameter.arg: r.evaluate(f, default) for parameter, default in defaults if default is not None}
    deps: Deps = frozenset[Dep]().union(*(value.deps for value in given.values()))
    made = Function(node, f.file, name, _outer(f), home=f, given=given)
    for variable in rebound(node):
        home: Frame | None = f
        while home is not None and variable not in home.env.names:
            home = home.function.home if home.function is not None else None
        (home or f).shared.add(variable)
    if id(node) not in r.seen_functions:
        r.seen_functions.add(id(node))
        r.uncalled[id(node)] = (made, f)
    return Value(deps, made)


@functools.lru_cache(maxsize=4096)
def rebound(node: FunctionNode) -> tuple[str, ...]:
    """The names of functions around that a function declares as its own."""
    return tuple(name for part in ast.walk(node) if isinstance(part, ast.Nonlocal) for name in part.names)


def _outer(f: Frame):
    def lookup(name: str) -> Thing | None:
        home: Frame | None = f
        while home is not None:
            found = home.env.names.get(name)
            if found is not None:
                return found.what
            home = home.function.home if home.function is not None else None
        return f.lookup(name)

    return lookup


_DISPATCHERS = ("functools.singledispatch", "functools.singledispatchmethod")


def decorated(r: Reader, f: Frame, value: Value, decorators: list[ast.expr]) -> Value:
    """``@decorator`` applied from the innermost outwards."""
    for decorator in reversed(decorators):
        callee = r.evaluate(f, decorator)
        what = value.what
        if isinstance(callee.what, External) and callee.what.name in _DISPATCHERS:
            return Value(callee.deps | value.deps, Unknown("dispatch"))
        if is_operator_decorator(callee.what) and isinstance(what, Function):
            value = Value(callee.deps | value.deps, function_operator(what, getattr(callee.what, "options", None)))
        elif isinstance(callee.what, Function):
            made = expand.helper_call(r, f, callee.what, Args([value]), decorator)
            value = made if made.what is not None and not isinstance(made.what, External) else Value(made.deps, what)
        elif callee.what is not None and not isinstance(callee.what, External):
            from operator_lib.trace.calls import apply

            call = ast.copy_location(ast.Call(decorator, [], []), decorator)
            made = apply(r, f, callee, Args([value]), call)
            value = Value(made.deps, made.what if made.what is not None else what)
    return value


def local_class(r: Reader, f: Frame, node: ast.ClassDef) -> Thing:
    """A class defined on the way: inside a function, or in a block at the top level of a module."""
    if f.scope is not None:
        return f.scope.class_of(node)
    return StaticClass(node, _Here(r, f))  # type: ignore[arg-type]


class _Here:
    """A function's frame in the role of a module: the place where a local class looks up names."""

    def __init__(self, r: Reader, f: Frame) -> None:
        self.world = r.world
        self.file = f.file
        self.name = f.shown
        self.lookup = _outer(f)
        self.home = f


def leftovers(r: Reader) -> None:
    """Local functions that nobody was seen to call: whoever got them may call them."""
    while r.uncalled:
        _, (function, frame) = next(iter(r.uncalled.items()))
        r.uncalled.pop(id(function.node), None)
        region = frame.call
        while region is not None and region.gone:  # the call of a helper that became plain code
            region = region.parent
        frame.region, frame.maybe = region, "never called here"
        expand.helper_call(r, frame, function, Args.unknown(frozenset()), function.node, extra="uncalled")
