"""Operators on numbers and arrays of one example."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from operator_lib.autobatch.instructions import TensorType
from operator_lib.autobatch.typing.joins import Conflict, described, join, promote, type_of
from operator_lib.autobatch.typing.stand_ins import Unsuitable
from operator_lib.autobatch.typing.tracer import Tracer
from operator_lib.autobatch.typing.values import BOOL, Const, Lane, Rec, Tup, Value, is_boxed, opened

OPERATORS: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "@": operator.matmul,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ORDER = ("==", "!=", "<", "<=", ">", ">=")
UNARY: dict[str, Callable[[Any], Any]] = {"-": operator.neg, "+": operator.pos, "~": operator.invert}


def binary(t: Tracer, symbol: str, left: Value, right: Value) -> Value:
    """``left symbol right``."""
    folded = _folded(t, symbol, left, right)
    if folded is not None:
        return folded
    if isinstance(left, Tup) or isinstance(right, Tup):
        left, right = opened(left), opened(right)
    if isinstance(left, Tup) and isinstance(right, Tup) and symbol == "+" and left.kind is right.kind:
        return Tup(left.items + right.items, left.kind)
    if isinstance(left, Tup) and isinstance(right, Const) and symbol == "*" and isinstance(right.value, int):
        return Tup(left.items * right.value, left.kind)
    if symbol == "@":
        import numpy as np

        from operator_lib.autobatch.typing.calls import call

        return call(t, Const(np.matmul), [left, right], {})
    one, two = (_number(t, value, f"{symbol}") for value in (left, right))
    if symbol in ("/", "//", "%") and _weak(one) and _weak(two):
        _check_zero(t, symbol, two)
    result = result_of(t, symbol, OPERATORS[symbol], (one, two))
    one, two = (_prepared(t, value, result, other) for value, other in ((one, two), (two, one)))
    if t.engine.strict:
        from operator_lib.autobatch.typing.strictness import checked

        checked(t, symbol, one, two, result)
    return t.emit("elementwise", (one, two), result, symbol)


def compare(t: Tracer, symbol: str, left: Value, right: Value) -> Value:
    """``left symbol right``: identity and membership of what is known now, order of numbers."""
    if symbol in ("is", "is not"):
        same = left.value is right.value if isinstance(left, Const) and isinstance(right, Const) else False
        if isinstance(left, Lane) and isinstance(right, Lane) and left.name == right.name:
            same = True
        return Const(same == (symbol == "is"))
    if symbol in ("in", "not in"):
        return _contains(t, left, right, negative=symbol == "not in")
    folded = _folded(t, symbol, left, right)
    if folded is not None:
        return folded
    if isinstance(left, Tup) or isinstance(right, Tup):
        return _compared_tuples(t, symbol, left, right)
    if symbol in ("==", "!=") and (type_of(left) is None or type_of(right) is None):
        return Const(symbol == "!=")
    one, two = (_number(t, value, symbol) for value in (left, right))
    result = result_of(t, symbol, OPERATORS[symbol], (one, two))
    try:
        common = promote(_scalar(t.typed_of(one, symbol)), _scalar(t.typed_of(two, symbol)))
    except Conflict:
        common = None
    if common is not None and common.dtype.kind in "fc":
        one, two = (_in_float(t, value, common) for value in (one, two))
    return t.emit("elementwise", (one, two), result, symbol)


def unary(t: Tracer, symbol: str, value: Value) -> Value:
    """``symbol value``."""
    if symbol == "not":
        truth = t.truth(value)
        return Const(not truth.value) if isinstance(truth, Const) else t.emit("elementwise", (truth,), BOOL, "not")
    if isinstance(value, Const):
        t.engine.look_into(value)
        return Const(UNARY[symbol](value.value))
    number = _number(t, value, symbol)
    result = result_of(t, "u" + symbol, UNARY[symbol], (number,))
    if symbol == "+":
        return t.cast(number, result)
    return t.emit("elementwise", (_prepared(t, number, result, number),), result, "u" + symbol)


def result_of(t: Tracer, key: Any, function: Callable[..., Any], args: tuple[Const | Lane, ...]) -> TensorType:
    """The type that an operation gives for these operands."""
    described_args = [a.type if isinstance(a, Lane) else a.value for a in args]
    try:
        value = t.engine.stand_ins.elementwise(key, function, described_args)
    except Unsuitable as error:
        raise t.fail(f"{_symbol(key)} of {' and '.join(map(described, args))}: {error}") from error
    found = t.engine.stand_ins.type_of(value)
    if found is None:
        raise t.fail(f"{_symbol(key)} of {' and '.join(map(described, args))} gives a {type(value).__name__}")
    return found


def selected(t: Tracer, condition: Lane, one: Value, two: Value) -> Value:
    """``one if condition else two``, both already computed."""
    one, two = opened(one), opened(two)
    try:
        joined = join(one, two)
    except Conflict as conflict:
        raise t.fail(f"the value {conflict}", "All that can be chosen must be of one kind.") from None
    return _selected(t, condition, one, two, joined)


def _selected(t: Tracer, condition: Lane, one: Value, two: Value, joined: Value) -> Value:
    one, two = opened(one), opened(two)
    if isinstance(joined, Tup) and isinstance(one, Tup) and isinstance(two, Tup):
        parts = zip(one.items, two.items, joined.items, strict=True)
        return Tup(tuple(_selected(t, condition, a, b, both) for a, b, both in parts), one.kind)
    if isinstance(joined, Rec) and isinstance(one, Rec) and isinstance(two, Rec):
        joined.alias.note(other="one dict for some examples and another for others")
        triples = zip(one.items, two.items, joined.items, strict=True)
        return Rec(tuple((k, _selected(t, condition, a, b, c)) for (k, a), (_, b), (_, c) in triples), joined.alias)
    if isinstance(joined, Lane):
        assert isinstance(one, Const | Lane)
        assert isinstance(two, Const | Lane)
        if joined.alias is not None:
            joined.alias.note(shared=t.position)
        if t.engine.final and joined.alias is not None and is_boxed(joined.alias):
            return t.emit_choice(condition, one, two, joined)
        sides = (t.cast(one, joined.type), t.cast(two, joined.type))
        return replace(t.emit("select", (condition, *sides), joined.type), alias=joined.alias)
    if not isinstance(joined, Const):
        raise t.fail(f"which {described(joined)} it is differs from example to example", "Choose among its results.")
    return joined


def _folded(t: Tracer, symbol: str, left: Value, right: Value) -> Value | None:
    if not (isinstance(left, Const) and isinstance(right, Const)):
        return None
    t.engine.look_into(left, right)
    try:
        return Const(OPERATORS[symbol](left.value, right.value))
    except Exception as error:
        raise t.fail(f"{symbol} of {left.value!r} and {right.value!r}: {error}") from error


def _number(t: Tracer, value: Value, symbol: str) -> Const | Lane:
    t.typed_of(value, symbol)
    assert isinstance(value, Const | Lane)
    return value


def _weak(value: Const | Lane) -> bool:
    kind = type_of(value)
    return kind is not None and kind.weak


def _check_zero(t: Tracer, symbol: str, divisor: Const | Lane) -> None:
    """Python's own numbers raise."""
    if isinstance(divisor, Const):
        if divisor.value == 0:
            raise t.fail("division by zero")
        return
    texts = {"/": "division by zero", "//": "integer division or modulo by zero", "%": "integer modulo by zero"}
    bad = t.emit("elementwise", (divisor, Const(0)), BOOL, "==")
    t.check(bad, ZeroDivisionError, texts[symbol])


def _prepared(t: Tracer, value: Const | Lane, result: TensorType, other: Const | Lane) -> Const | Lane:
    """Python numbers take the type of the result, as NumPy 2 has it."""
    if not isinstance(value, Lane) or not value.type.weak:
        return value
    if value.type.dtype.kind == "b" and result.dtype.kind == "b":
        return value
    if value.type.dtype.kind in "iub" and result.dtype.kind == "f" and _weak(other):
        kind = TensorType(float, (), weak=True)
    elif result.weak:
        kind = TensorType(result.dtype, (), weak=True)
    else:
        kind = TensorType(result.dtype)
    return t.cast(value, kind)


def _in_float(t: Tracer, value: Const | Lane, common: TensorType) -> Const | Lane:
    if isinstance(value, Lane) and value.type.weak and value.type.dtype != common.dtype:
        return t.cast(value, TensorType(common.dtype, value.type.shape, common.weak))
    return value


def _scalar(kind: TensorType) -> TensorType:
    return TensorType(kind.dtype, (), kind.weak)


def _contains(t: Tracer, value: Value, box: Value, *, negative: bool) -> Value:
    items: list[Value]
    t.engine.look_into(box)
    if isinstance(box, Rec):
        if not isinstance(value, Const):
            raise t.fail("a key that differs from example to example cannot be looked up in a dict")
        return Const((box.get(value.value) is not None) != negative)
    if isinstance(box, Const) and isinstance(value, Const):
        return Const((value.value in box.value) != negative)
    if isinstance(box, Tup) and box.kind in (tuple, list):
        items = list(box.items)
    elif isinstance(box, Const) and isinstance(box.value, tuple | list | set | frozenset | range):
        items = [Const(item) for item in box.value]
    else:
        raise t.fail(f"in cannot be batched for {described(box)}", "Use np.any(x == value).")
    found: Value = Const(False)
    for item in items:
        same = t.truth(compare(t, "==", value, item))
        if isinstance(same, Const):
            if same.value:
                return Const(not negative)
            continue
        found = same if isinstance(found, Const) else t.emit("elementwise", (found, same), BOOL, "|")  # type: ignore[reportArgumentType]
    return unary(t, "not", found) if negative else found


def _compared_tuples(t: Tracer, symbol: str, left: Value, right: Value) -> Value:
    one, two = (_items(value) for value in (left, right))
    t.engine.look_into(left, right)
    if symbol not in ("==", "!=") or one is None or two is None:
        raise t.fail(f"{symbol} of {described(left)} and {described(right)} cannot be batched", "Compare the elements.")
    same: Value = Const(len(one) == len(two))
    if len(one) == len(two):
        for a, b in zip(one, two, strict=True):
            equal = t.truth(compare(t, "==", a, b))
            if isinstance(equal, Const):
                same = same if equal.value else equal
            elif not isinstance(same, Const):
                same = t.emit("elementwise", (same, equal), BOOL, "&")  # type: ignore[reportArgumentType]
            elif same.value:
                same = equal
            if isinstance(same, Const) and not same.value:
                break
    return unary(t, "not", same) if symbol == "!=" else same


def _items(value: Value) -> list[Value] | None:
    if isinstance(value, Tup):
        return list(value.items)
    if isinstance(value, Const) and isinstance(value.value, tuple | list):
        return [Const(item) for item in value.value]
    return None


def _symbol(key: Any) -> str:
    return key.removeprefix("u") if isinstance(key, str) else getattr(key, "__name__", str(key))
