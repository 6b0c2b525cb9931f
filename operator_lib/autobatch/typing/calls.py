"""Calls: of what is known here, of functions with source, of anything else example by example."""

from __future__ import annotations

import functools
import inspect
import sys
import types
from typing import Any

import numpy as np

from operator_lib.autobatch.errors import CompileError
from operator_lib.autobatch.typing import known, library
from operator_lib.autobatch.typing.joins import described
from operator_lib.autobatch.typing.tracer import Tracer
from operator_lib.autobatch.typing.values import Const, Method, Rec, Tup, Value, opened

# Whose functions are called as they are; their source is not read.
LIBRARIES = frozenset(
    {"numpy", "scipy", "torch", "jax", "jaxlib", "tensorflow", "sklearn", "numba", "pandas", "cupy", "keras"}
)

# Options that change what a plain call does.
_AROUND_CALLS = ("accumulate", "batch", "cacheable", "retries", "timeout", "use_ctx")


def call(t: Tracer, function: Value, args: list[Value], keywords: dict[str, Value]) -> Value:
    """What a call gives for one example."""
    if isinstance(function, Method):
        return known.method(t, function, args, keywords)
    if not isinstance(function, Const):
        raise t.fail(f"{described(function)} cannot be called")
    target = function.value
    plain = t.engine.registered(target)
    if plain is not None:
        return user_call(t, plain, args, keywords, must=True)
    rule = known.rule_for(target)
    if rule is not None:
        return rule(t, args, keywords)
    if isinstance(target, functools.partial):
        fixed = [Const(value) for value in target.args]
        named = {key: Const(value) for key, value in target.keywords.items()}
        return call(t, Const(target.func), [*fixed, *args], {**named, **keywords})
    if isinstance(target, type):
        return _made(t, target, args, keywords)
    if isinstance(target, types.MethodType):
        return call(t, Const(target.__func__), [Const(target.__self__), *args], keywords)
    if isinstance(target, types.FunctionType) and not from_library(target):
        return user_call(t, target, args, keywords, must=False)
    if not isinstance(target, types.FunctionType | types.BuiltinFunctionType | np.ufunc) and callable(target):
        inner, bound = _forward(target)
        if inner is not None:
            return call(t, Const(inner), [Const(target), *args] if bound else args, keywords)
    return library.called(t, target, args, keywords)


def from_library(target: Any) -> bool:
    """Whether a function belongs to an installed library whose source is not read."""
    root = (getattr(target, "__module__", None) or "").partition(".")[0]
    return root in LIBRARIES or (root in sys.stdlib_module_names and root != "__main__")


def user_call(
    t: Tracer, function: types.FunctionType, args: list[Value], keywords: dict[str, Value], *, must: bool
) -> Value:
    """A function with source: written into the caller when it is a straight line, else called in the batch."""
    try:
        code = t.engine.translate(function)
    except CompileError as error:
        if must or (error.position is None and function.__name__ == "<lambda>"):
            raise
        return library.each(t, function, args, keywords, str(error))
    bound = _bound(t, code.signature, args, keywords, code.name)
    if not must and function not in t.engine.opened:
        from operator_lib.autobatch.typing.opened import straight

        found = straight(t, code, bound)
        if found is not None:
            return found
    from operator_lib.autobatch.typing.instances import instance_call

    return instance_call(t, code, bound)


def _bound(
    t: Tracer, signature: inspect.Signature, args: list[Value], keywords: dict[str, Value], name: str
) -> dict[str, Value]:
    try:
        bound = signature.bind(*args, **keywords)
    except TypeError as error:
        raise t.fail(f"{name}(): {error}") from error
    found = dict(bound.arguments)
    for parameter in signature.parameters.values():
        if parameter.name not in found:
            found[parameter.name] = Const(parameter.default)
    return {parameter: found[parameter] for parameter in signature.parameters}


def _made(t: Tracer, kind: type, args: list[Value], keywords: dict[str, Value]) -> Value:
    """``Point(x, y)``: named tuples; exceptions and other classes only from constants."""
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        signature = inspect.signature(kind)
        bound = _bound(t, signature, args, keywords, kind.__name__)
        for value in bound.values():
            t.kept(value)
            t.shared_by(value)
        return Tup(tuple(bound.values()), kind)
    given = [opened(value) for value in args]
    if kind is dict and len(given) <= 1 and all(isinstance(value, Rec) for value in given):
        pairs = {key: value for rec in given if isinstance(rec, Rec) for key, value in rec.items} | keywords
        for value in pairs.values():
            t.kept(value)
            t.shared_by(value)
        return Rec(tuple(pairs.items()), t.instance.alias((t.block.name, t.index, t.path, "dict")))
    if all(isinstance(value, Const) for value in (*args, *keywords.values())):
        fixed = [value.value for value in args if isinstance(value, Const)]
        named = {key: value.value for key, value in keywords.items() if isinstance(value, Const)}
        return Const(kind(*fixed, **named))
    raise t.fail(
        f"an object of {kind.__name__} cannot be made for each example", "Use a tuple, a named tuple or a dict."
    )


def _forward(target: Any) -> tuple[types.FunctionType | None, bool]:
    """What a call of an operator or of another callable object runs, and whether the object is its first argument.

    None for an operator whose calls do more than that: options such as retries, or a process of its own.
    """
    from operator_lib import options
    from operator_lib.autobatch.forward import single_function
    from operator_lib.core import Operator
    from operator_lib.options import support

    if isinstance(target, Operator):
        chosen = options.of(target)
        if chosen is not None and any(support.asks(chosen, name) for name in (*_AROUND_CALLS, *support.OF_A_PROCESS)):
            return None, False
        return single_function(target)
    found = type(target).__dict__.get("__call__")
    if isinstance(found, types.FunctionType) and not from_library(found):
        return found, True
    return None, False
