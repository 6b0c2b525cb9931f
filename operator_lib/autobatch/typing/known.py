"""Functions whose meaning for one example is known here: builtins, `math`, and what NumPy answers from types alone."""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from operator_lib.autobatch.instructions import TensorType
from operator_lib.autobatch.typing import arithmetic, library, sequences
from operator_lib.autobatch.typing.joins import described, dtype_name
from operator_lib.autobatch.typing.tracer import Tracer
from operator_lib.autobatch.typing.values import BOOL, Const, Lane, Method, Rec, Tup, Value

Rule = Callable[[Tracer, list[Value], dict[str, Value]], Value]
INT, FLOAT, COMPLEX = (TensorType(np.dtype(kind), (), weak=True) for kind in (int, float, complex))


def rule_for(function: Any) -> Rule | None:
    """What a call of `function` means, if it is known here."""
    try:
        found = _RULES.get(function)
    except TypeError:
        return None
    if found is None and isinstance(function, type) and issubclass(function, np.generic):
        return lambda t, args, keywords: _astype(t, args[0], function) if args else Const(function())
    return found


def method(t: Tracer, found: Method, args: list[Value], keywords: dict[str, Value]) -> Value:
    """A method of an array, tuple or dict."""
    owner, name = found.owner, found.name
    if isinstance(owner, Rec):
        return _of_dict(t, owner, name, args)
    if isinstance(owner, Tup):
        if name == "_replace":
            pairs = zip(owner.kind._fields, owner.items, strict=True)
            return Tup(tuple(keywords.get(field, value) for field, value in pairs), owner.kind)
        raise t.fail(f"{described(owner)}.{name}() cannot be batched", "Use an array of fixed size.")
    assert isinstance(owner, Lane)
    if name == "astype":
        kind = args[0] if args else keywords["dtype"]
        return _astype(t, owner, kind.value if isinstance(kind, Const) else None)
    if name == "copy":
        return t.emit("copy", (owner,), owner.type) if owner.type.shape else owner
    if name == "item" and not args:
        return _item(t, owner)
    if t.engine.stand_ins.in_place(name):
        raise t.fail(f".{name}() changes the array in place", f"Write x = {name.strip('_')}(x), or x[...] = value.")
    function = t.engine.stand_ins.method(name) or _method_caller(name)
    if function in (np.reshape, np.transpose) and len(args) > 1:  # x.reshape(3, 2) is x.reshape((3, 2))
        args = [Tup(tuple(args))]
    return library.called(t, function, [owner, *args], keywords)


_METHODS: dict[str, Callable[..., Any]] = {}


def _method_caller(name: str) -> Callable[..., Any]:
    """A function that calls the method."""
    if name not in _METHODS:

        def call(owner: Any, *args: Any, **keywords: Any) -> Any:
            return getattr(owner, name)(*args, **keywords)

        call.__name__ = name
        call.__module__ = "methods"
        _METHODS[name] = call
    return _METHODS[name]


def _of_dict(t: Tracer, owner: Rec, name: str, args: list[Value]) -> Value:
    if name == "keys":
        return Tup(tuple(Const(key) for key, _ in owner.items))
    if name == "values":
        return Tup(tuple(value for _, value in owner.items))
    if name == "items":
        return Tup(tuple(Tup((Const(key), value)) for key, value in owner.items))
    if name == "copy":
        return Rec(owner.items, t.instance.alias((t.block.name, t.index, t.path, "copy")))
    if name == "get" and args and isinstance(args[0], Const):
        found = owner.get(args[0].value)
        return found if found is not None else args[1] if len(args) > 1 else Const(None)
    raise t.fail(f"dict.{name}() cannot be batched", "The keys of a dict must be the same for all examples.")


def _item(t: Tracer, owner: Lane) -> Value:
    if owner.type.shape:
        raise t.fail(f".item() of {owner.type}", "Index it: x[0].")
    return t.cast(owner, TensorType(_python_dtype(owner.type.dtype), (), weak=True))


def _python_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return {"b": BOOL, "i": INT, "u": INT, "f": FLOAT, "c": COMPLEX}[dtype.kind].dtype


def _astype(t: Tracer, value: Value, dtype: Any) -> Value:
    kind = t.typed_of(value, "a cast")
    if dtype is None:
        raise t.fail("the type of a cast must be the same for all examples")
    assert isinstance(value, Const | Lane)
    return t.cast(
        value, TensorType(dtype_name(dtype) if not isinstance(dtype, str | type) else np.dtype(dtype), kind.shape)
    )


def _number(kind: TensorType) -> Rule:
    def rule(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
        if not args:
            return Const({"b": False, "i": 0, "f": 0.0, "c": 0j}[kind.dtype.kind])
        if kind is BOOL:
            return t.truth(args[0])
        found = args[0]
        if isinstance(found, Const):
            values = [value.value for value in args if isinstance(value, Const)]
            return Const({"i": int, "f": float, "c": complex}[kind.dtype.kind](*values))
        if len(args) > 1:
            name = kind.dtype.name.rstrip("0123456789")
            hint = "Write real + imaginary * 1j." if name == "complex" else "Give it one number."
            raise t.fail(f"{name}() of several arguments cannot be batched", hint)
        if t.typed_of(found, kind.dtype.name).shape:
            raise t.fail(f"{kind.dtype.name} of {described(found)}", "Index it first: x[0].")
        assert isinstance(found, Lane)
        if kind.dtype.kind == "i" and found.type.dtype.kind == "f":
            bad = t.emit("elementwise", (found,), BOOL, np.isfinite)
            t.check(
                t.emit("elementwise", (bad,), BOOL, "not"),
                ValueError,
                "cannot convert float NaN or infinity to integer",
            )
        return t.cast(found, kind)

    return rule


def _len(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
    return sequences.length(t, args[0])


def _abs(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
    value = args[0]
    if isinstance(value, Const):
        return Const(abs(value.value))
    kind = t.typed_of(value, "abs")
    assert isinstance(value, Lane)
    if kind.weak and kind.dtype.kind == "b":
        return t.cast(value, INT)
    result = arithmetic.result_of(t, "abs", operator.abs, (value,))
    return t.emit("elementwise", (value,), result, np.absolute)


def _extreme(symbol: str) -> Rule:
    """`max` and `min`: the first of equals, as Python has it."""

    def rule(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
        if keywords:
            raise t.fail("max and min with key= or default= cannot be batched")
        values = _spread(t, args[0]) if len(args) == 1 else args
        if not values:
            raise t.fail("max and min of nothing")
        found = values[0]
        for other in values[1:]:
            better = t.truth(arithmetic.compare(t, symbol, other, found))
            if isinstance(better, Const):
                found = other if better.value else found
            else:
                found = arithmetic.selected(t, better, other, found)
        return found

    return rule


def _spread(t: Tracer, value: Value) -> list[Value]:
    """All elements of what has a fixed length."""
    value = sequences.iterated(t, value)
    size = sequences.length(t, value)
    if not isinstance(size, Const):
        raise t.fail("the number of elements differs from example to example", "Write a for loop.")
    return [sequences.item(t, value, Const(place)) for place in range(size.value)]


def _sum(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
    start = args[1] if len(args) > 1 else keywords.get("start", Const(0))
    found = start
    for value in _spread(t, args[0]):
        found = arithmetic.binary(t, "+", found, value)
    return found


def _truths(symbol: str, neutral: bool) -> Rule:
    def rule(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
        found: Const | Lane = Const(neutral)
        for value in _spread(t, args[0]):
            truth = t.truth(value)
            if isinstance(truth, Const):
                if truth.value != neutral:
                    return Const(not neutral)
            else:
                found = truth if isinstance(found, Const) else t.emit("elementwise", (found, truth), BOOL, symbol)
        return found

    return rule


def _range(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
    return sequences.made_range(t, args)


def _zip(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
    return Tup(tuple(sequences.iterated(t, value) for value in args), zip)


def _enumerate(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
    start = args[1] if len(args) > 1 else keywords.get("start", Const(0))
    return Tup((start, sequences.iterated(t, args[0])), enumerate)


def _sequence(kind: type) -> Rule:
    def rule(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
        return Tup(tuple(_spread(t, args[0])) if args else (), kind)

    return rule


def _reversed(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
    value = sequences.iterated(t, args[0])
    if isinstance(value, Tup) and value.kind is range:
        start, _, step = value.items
        count = sequences.length(t, value)
        last = arithmetic.binary(
            t, "+", start, arithmetic.binary(t, "*", arithmetic.binary(t, "-", count, Const(1)), step)
        )
        back = arithmetic.unary(t, "-", step)
        return Tup((last, arithmetic.binary(t, "-", start, step), back), range)
    return Tup(tuple(reversed(_spread(t, args[0]))))


def _round(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
    value = args[0]
    if isinstance(value, Const) or len(args) > 1 or keywords:
        return library.called(t, round, args, keywords)
    kind = t.typed_of(value, "round")
    assert isinstance(value, Lane)
    if kind.dtype.kind != "f":
        return t.cast(value, INT) if kind.weak else value
    rounded = t.emit("elementwise", (value,), kind, np.rint)
    # NumPy's numbers stay what they are only with a number of digits: round(x) is an int for both
    return t.cast(rounded, INT)


def _pow(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
    if len(args) == 3:
        return library.each(t, pow, args, keywords, "")
    return arithmetic.binary(t, "**", *args)


def _divmod(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
    return Tup((arithmetic.binary(t, "//", *args), arithmetic.binary(t, "%", *args)))


def _isinstance(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
    value, kinds = args
    if not isinstance(kinds, Const):
        raise t.fail("isinstance with types that differ from example to example")
    sample = value.value if isinstance(value, Const) else None
    if isinstance(value, Lane):
        sample = t.engine.stand_ins.make(value.type)
    elif isinstance(value, Tup):
        return Const(issubclass(value.kind, kinds.value))
    elif isinstance(value, Rec):
        sample = {}
    return Const(isinstance(sample, kinds.value))


def _print(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
    from operator_lib.autobatch.typing.printing import printed

    return printed(t, args, keywords)


def _math(name: str) -> Rule:
    """A function of `math`: gives the very bits that the C library gives, example by example."""
    function = getattr(math, name)

    def rule(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
        if all(isinstance(value, Const) for value in args):
            return library.called(t, function, args, keywords)
        for value in args:
            t.typed_of(value, f"math.{name}")
        numbers = [value for value in args if isinstance(value, Const | Lane)]
        if name in _EXACT and len(numbers) == 1 and isinstance(numbers[0], Lane):
            return _exact(t, name, numbers[0])
        result = arithmetic.result_of(t, function, function, tuple(numbers))
        return t.emit("math", numbers, result, function)

    return rule


_EXACT = {
    "sqrt": np.sqrt,
    "fabs": np.fabs,
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "isnan": np.isnan,
    "isinf": np.isinf,
    "isfinite": np.isfinite,
}


def _exact(t: Tracer, name: str, value: Lane) -> Value:
    """Functions that NumPy computes to the same bit."""
    number = t.cast(value, FLOAT)
    assert isinstance(number, Lane)
    if name.startswith("is"):
        return t.emit("elementwise", (number,), BOOL, _EXACT[name])
    if name == "sqrt":
        t.check(t.emit("elementwise", (number, Const(0)), BOOL, "<"), ValueError, "math domain error")
    found = t.emit("elementwise", (number,), FLOAT, _EXACT[name])
    return _number(INT)(t, [found], {}) if name in ("floor", "ceil", "trunc") else found


def _truthy(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
    return args[0]


def _shape(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
    return Const(t.typed_of(args[0], "np.shape").shape)


def _ndim(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
    return Const(len(t.typed_of(args[0], "np.ndim").shape))


def _copy(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
    if isinstance(args[0], Lane) and args[0].type.shape:
        return t.emit("copy", (args[0],), args[0].type)
    return library.called(t, np.copy, args, keywords)


def _array(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
    if isinstance(args[0], Lane) and args[0].type.shape and not keywords and len(args) == 1:
        return t.emit("copy", (args[0],), args[0].type)
    return library.called(t, np.array, args, keywords)


def _where(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
    if len(args) != 3:
        raise t.fail(
            "np.where with one argument gives as many places as there are", "Give it three: np.where(c, a, b)."
        )
    return library.called(t, np.where, args, keywords)


def _sized(name: str) -> Rule:
    def rule(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
        raise t.fail(f"np.{name} gives arrays whose size differs from example to example", "Use a mask and np.where.")

    return rule


def truthy(value: Any) -> Any:
    """The value itself: other systems need conditions to be marked, this one does not."""
    return value


def _operator(symbol: str) -> Rule:
    return lambda t, args, keywords: arithmetic.binary(t, symbol, *args)


_OPERATORS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**"}

_RULES: dict[Any, Rule] = {
    builtins.len: _len,
    builtins.abs: _abs,
    builtins.max: _extreme(">"),
    builtins.min: _extreme("<"),
    builtins.int: _number(INT),
    builtins.float: _number(FLOAT),
    builtins.complex: _number(COMPLEX),
    builtins.bool: _number(BOOL),
    builtins.range: _range,
    builtins.zip: _zip,
    builtins.enumerate: _enumerate,
    builtins.sum: _sum,
    builtins.any: _truths("|", False),
    builtins.all: _truths("&", True),
    builtins.tuple: _sequence(tuple),
    builtins.list: _sequence(list),
    builtins.reversed: _reversed,
    builtins.round: _round,
    builtins.pow: _pow,
    builtins.divmod: _divmod,
    builtins.isinstance: _isinstance,
    builtins.print: _print,
    truthy: _truthy,
    np.shape: _shape,
    np.ndim: _ndim,
    np.copy: _copy,
    np.array: _array,
    np.where: _where,
    np.nonzero: _sized("nonzero"),
    np.flatnonzero: _sized("flatnonzero"),
    np.unique: _sized("unique"),
    np.argwhere: _sized("argwhere"),
    **{getattr(operator, name): _operator(symbol) for name, symbol in _OPERATORS.items()},
    **{
        getattr(math, name): _math(name)
        for name in dir(math)
        if not name.startswith("_") and callable(getattr(math, name))
    },
}
