"""Functions of libraries, and functions that are called example by example."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from operator_lib.autobatch.instructions import TensorType
from operator_lib.autobatch.typing import arithmetic
from operator_lib.autobatch.typing.joins import described, type_of
from operator_lib.autobatch.typing.ops import Library, Op
from operator_lib.autobatch.typing.stand_ins import Unsuitable
from operator_lib.autobatch.typing.tracer import Tracer, rebuilt
from operator_lib.autobatch.typing.values import Alias, Const, Lane, Tup, Value, leaves, signature

# What gives another result each time, or depends on when it is called.
IMPURE = (
    "random",
    "numpy.random",
    "secrets",
    "time",
    "datetime",
    "uuid",
    "torch.random",
    "tensorflow.python.ops.random_ops",
)
# PyTorch's own: they do not say which module they are of.
RANDOM = frozenset({"rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial", "poisson"})


def called(t: Tracer, function: Any, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Somebody else's function: folded, elementwise, or left to the backend, which may know it for whole batches."""
    name = getattr(function, "__name__", type(function).__name__)
    _refuse_impure(t, function, name)
    values = [*args, *keywords.values()]
    if all(_is_constant(value) for value in values):
        return _folded(t, function, args, keywords, name)
    try:
        function = t.engine.stand_ins.translated(function, [type_of(value) for value in args], keywords)
    except Unsuitable as error:
        raise t.fail(f"{name}(): {error}") from error
    plain = t.engine.stand_ins.elementwise_function(function) and not keywords and len(args) in (1, 2)
    if plain and all(isinstance(value, Const | Lane) for value in args):
        return ufunc(t, function, args)
    return _operation(t, "library", function, name, args, keywords)


def ufunc(t: Tracer, function: Any, args: list[Value]) -> Value:
    """An elementwise function of NumPy."""
    for value in args:
        t.typed_of(value, function.__name__)
    numbers = [value for value in args if isinstance(value, Const | Lane)]
    result = arithmetic.result_of(t, function, function, tuple(numbers))
    prepared = [_strong(t, value, result) for value in numbers]
    return t.emit("elementwise", prepared, result, function)


def each(t: Tracer, function: Any, args: list[Value], keywords: dict[str, Value], why: str) -> Value:
    """A function that cannot be read: called for one example after the other."""
    name = getattr(function, "__name__", type(function).__name__)
    _refuse_impure(t, function, name)
    if all(_is_constant(value) for value in (*args, *keywords.values())):
        return _folded(t, function, args, keywords, name)
    return _operation(t, "each", function, name, args, keywords, why)


def _operation(
    t: Tracer,
    kind: str,
    function: Callable[..., Any],
    name: str,
    args: list[Value],
    keywords: dict[str, Value],
    why: str = "",
) -> Value:
    del why
    given = Tup((*args, *keywords.values()))
    lanes = list(leaves(given))

    def build(leaf: Callable[[int], Any]) -> tuple[list[Any], dict[str, Any]]:
        count = iter(range(len(lanes)))
        made = [rebuilt(value, lambda _: leaf(next(count))) for value in (*args, *keywords.values())]
        return made[: len(args)], dict(zip(keywords, made[len(args) :], strict=True))

    def build_stand_ins(make: Callable[[TensorType], Any]) -> tuple[list[Any], dict[str, Any]]:
        return build(lambda place: make(lanes[place].type))

    sample = t.run_stand_ins(function, build_stand_ins, f"{name}()")
    spec = _result(t, sample, name)
    operands = tuple(t.unboxed(lane) for lane in lanes)
    outs = list(leaves(spec))
    detail = Library(function, name, build, (kind, name, signature(given)))
    _note_views(t, sample, function, build_stand_ins, lanes, outs)
    t.ops.append(Op(kind, operands, tuple(outs), detail, t.position))
    boxed = {out.name: t.boxed(out) for out in outs}
    return _renamed(spec, boxed)


def _result(t: Tracer, sample: Any, name: str) -> Value:
    """The kind of value that a call gives, from what it gave for stand-ins."""
    kind = t.engine.stand_ins.type_of(sample)
    if kind is not None:
        return t.fresh(kind)
    if sample is None:
        return Const(None)
    if isinstance(sample, tuple | list):
        items = tuple(_result(t, item, name) for item in sample)
        made = type(sample) if hasattr(type(sample), "_fields") or type(sample) in (tuple, list) else tuple
        return Tup(items, made)
    raise t.fail(f"{name}() returns a {type(sample).__name__}", "It must return numbers, arrays or tuples of them.")


def _note_views(t: Tracer, sample: Any, function: Any, build: Any, lanes: list[Lane], outs: list[Lane]) -> None:
    """A result that shares memory with an argument may be a view of it."""
    if not any(out.type.shape for out in outs) or not isinstance(sample, np.ndarray):
        return
    arrays: list[tuple[Lane, Any]] = []
    order = iter(lanes)

    def make(kind: TensorType) -> Any:
        array = t.engine.stand_ins.make(kind)
        arrays.append((next(order), array))
        return array

    try:
        given, named = build(make)
        again = function(*given, **named)
    except Exception:
        return
    for lane, array in arrays:
        if isinstance(array, np.ndarray) and isinstance(again, np.ndarray) and np.may_share_memory(array, again):
            assert outs[0].alias is not None
            alias: Alias = lane.alias if lane.alias is not None else Alias()
            alias.join(outs[0].alias)
            object.__setattr__(outs[0], "view", True)


def _renamed(value: Value, names: dict[str, Lane]) -> Value:
    if isinstance(value, Lane):
        return names[value.name]
    return Tup(tuple(_renamed(item, names) for item in value.items), value.kind) if isinstance(value, Tup) else value


def _strong(t: Tracer, value: Const | Lane, result: TensorType) -> Const | Lane:
    """Python numbers take the type of the arrays they meet."""
    if isinstance(value, Lane) and value.type.weak and result.dtype.kind in "fc" and value.type.dtype != result.dtype:
        return t.cast(value, TensorType(result.dtype))
    return value


def _is_constant(value: Value) -> bool:
    if isinstance(value, Tup):
        return all(map(_is_constant, value.items))
    return isinstance(value, Const)


def _folded(t: Tracer, function: Any, args: list[Value], keywords: dict[str, Value], name: str) -> Value:
    t.engine.look_into(*args, *keywords.values(), Const(getattr(function, "__self__", None)))
    given = [rebuilt(value, lambda lane: lane) for value in args]
    named = {key: rebuilt(value, lambda lane: lane) for key, value in keywords.items()}
    try:
        result = function(*given, **named)
    except Exception as error:
        raise t.fail(f"{name}(): {error}") from error
    shared = [
        one for one in (*given, *named.values(), getattr(function, "__self__", None)) if isinstance(one, np.ndarray)
    ]
    if isinstance(result, np.ndarray) and result.ndim and not any(np.may_share_memory(result, one) for one in shared):
        # made anew for each example, in case it is written to
        return t.emit("spread", (Const(result),), TensorType(result.dtype, result.shape))
    return Const(result)


def _refuse_impure(t: Tracer, function: Any, name: str) -> None:
    module = getattr(function, "__module__", None) or ""
    owner = type(getattr(function, "__self__", None)).__module__
    if any(found == one or found.startswith(one + ".") for one in IMPURE for found in (module, owner)) or (
        "mtrand" in owner or "_generator" in owner or _draws(function, name)
    ):
        raise t.fail(
            f"{name}() gives something else each time it is called",
            "Pass random numbers in, or keep the state of a generator in a variable: each lane its own.",
        )


def _draws(function: Any, name: str) -> bool:
    return name.removesuffix("_like") in RANDOM and getattr(sys.modules.get("torch"), name, None) is function


__all__ = ["called", "described", "each", "ufunc"]
