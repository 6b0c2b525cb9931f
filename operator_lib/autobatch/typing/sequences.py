"""What `for` runs over: ranges, tuples, arrays, zip and enumerate; and unpacking."""

from __future__ import annotations

import numpy as np

from operator_lib.autobatch.instructions import TensorType
from operator_lib.autobatch.typing import arithmetic, subscripts
from operator_lib.autobatch.typing.joins import described, type_of, type_of_constant
from operator_lib.autobatch.typing.tracer import Tracer
from operator_lib.autobatch.typing.values import BOOL, Const, Lane, Rec, Tup, Value

INT = TensorType(np.dtype(np.int64), (), weak=True)


def iterated(t: Tracer, value: Value) -> Value:
    """What a for loop can count through."""
    if isinstance(value, Tup):
        return value
    if isinstance(value, Rec):
        return Tup(tuple(Const(key) for key, _ in value.items))
    if isinstance(value, Lane):
        if not value.type.shape:
            raise t.fail(f"{value.type} cannot be iterated over", "Iterate over range(n).")
        t.kept(Lane(value.type, value.name, value.alias, view=len(value.type.shape) > 1))
        return value
    if isinstance(value, Const):
        found = value.value
        if isinstance(found, range):
            return Tup((Const(found.start), Const(found.stop), Const(found.step)), range)
        if isinstance(found, tuple | list | str):
            t.engine.look_into(value)
            return Tup(tuple(Const(item) for item in found))
        kind = type_of_constant(found)
        if kind is not None and kind.shape:
            return value
    raise t.fail(f"{described(value)} cannot be iterated over", "Iterate over range(n), a tuple or an array.")


def length(t: Tracer, value: Value) -> Value:
    """How many rounds a for loop makes; also `len`."""
    if isinstance(value, Tup):
        if value.kind is range:
            return _range_length(t, *value.items)
        if value.kind is enumerate:
            return length(t, value.items[1])
        if value.kind is zip:
            sizes = [length(t, item) for item in value.items]
            found = sizes[0] if sizes else Const(0)
            for size in sizes[1:]:
                found = _smaller(t, found, size)
            return found
        return Const(len(value.items))
    if isinstance(value, Rec):
        return Const(len(value.items))
    kind = type_of(value)
    if kind is not None and kind.shape:
        return Const(kind.shape[0])
    if isinstance(value, Const) and hasattr(value.value, "__len__"):
        t.engine.look_into(value)
        return Const(len(value.value))
    raise t.fail(f"{described(value)} has no len()")


def item(t: Tracer, value: Value, index: Value) -> Value:
    """The element of a round."""
    if isinstance(value, Tup):
        if value.kind is range:
            start, _, step = value.items
            scaled = arithmetic.binary(t, "*", index, step) if not _is(step, 1) else index
            return scaled if _is(start, 0) else arithmetic.binary(t, "+", start, scaled)
        if value.kind is enumerate:
            start, inner = value.items
            count = index if _is(start, 0) else arithmetic.binary(t, "+", start, index)
            return Tup((count, item(t, inner, index)))
        if value.kind is zip:
            return Tup(tuple(item(t, inner, index) for inner in value.items))
        if isinstance(index, Const):
            return value.items[index.value]
        return subscripts.chosen(t, value.items, index)
    return subscripts.read(t, value, index)


def unpacked(t: Tracer, value: Value, place: int, count: int) -> Value:
    """One of the names on the left of ``a, b = value``."""
    if isinstance(value, Rec):
        value = iterated(t, value)
    size = length(t, value)
    if not isinstance(size, Const):
        raise t.fail("how many values there are to unpack differs from example to example")
    if size.value != count:
        many = "too many" if size.value > count else "not enough"
        raise t.fail(f"{many} values to unpack: {size.value} for {count} names")
    if isinstance(value, Const):
        t.engine.look_into(value)
        return Const(tuple(value.value)[place])
    return item(t, value, Const(place))


def made_range(t: Tracer, args: list[Value]) -> Value:
    """``range(...)`` with bounds that may differ from example to example."""
    if not 1 <= len(args) <= 3:
        raise t.fail(f"range takes 1 to 3 arguments, not {len(args)}")
    start, stop, step = (Const(0), args[0], Const(1)) if len(args) == 1 else (*args, Const(1))[:3]
    return Tup(tuple(_whole(t, part) for part in (start, stop, step)), range)


def _whole(t: Tracer, value: Value) -> Value:
    kind = t.typed_of(value, "range")
    if kind.shape or kind.dtype.kind not in "iub":
        raise t.fail(f"range needs whole numbers, not {described(value)}", "Convert it: int(x).")
    assert isinstance(value, Const | Lane)
    return t.cast(value, INT)


def _range_length(t: Tracer, start: Value, stop: Value, step: Value) -> Value:
    if all(isinstance(part, Const) for part in (start, stop, step)):
        return Const(len(range(*(part.value for part in (start, stop, step) if isinstance(part, Const)))))
    span = stop if _is(start, 0) else arithmetic.binary(t, "-", stop, start)
    if _is(step, 1):
        return span
    if isinstance(step, Lane):
        bad = t.emit("elementwise", (step, Const(0)), BOOL, "==")
        t.check(bad, ValueError, "range() arg 3 must not be zero")
    # rounded up, for steps of either sign
    downwards = arithmetic.binary(t, "//", arithmetic.unary(t, "-", span), step)
    return arithmetic.unary(t, "-", downwards)


def _smaller(t: Tracer, one: Value, two: Value) -> Value:
    if isinstance(one, Const) and isinstance(two, Const):
        return Const(min(one.value, two.value))
    less = t.truth(arithmetic.compare(t, "<", two, one))
    assert isinstance(less, Lane)
    return arithmetic.selected(t, less, two, one)


def _is(value: Value, number: int) -> bool:
    return isinstance(value, Const) and type(value.value) is int and value.value == number
