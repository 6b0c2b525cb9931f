"""What `for` runs over: ranges, tuples, arrays, zip and enumerate; and unpacking, with a star or without."""

from __future__ import annotations

from collections.abc import ItemsView, KeysView, Sequence, ValuesView
from typing import Any

import numpy as np

from operator_lib.autobatch.instructions import TensorType
from operator_lib.autobatch.typing import arithmetic, subscripts
from operator_lib.autobatch.typing.joins import Conflict, described, join, type_of, type_of_constant
from operator_lib.autobatch.typing.tracer import Tracer
from operator_lib.autobatch.typing.values import BOOL, Const, Lane, Rec, Tup, Value, opened

# Values of an array that are written out one by one.
MOST_UNPACKED = 256
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
        if isinstance(found, tuple | list | str | dict | KeysView | ValuesView | ItemsView):
            t.engine.look_into(value)
            return Tup(tuple(Const(item) for item in found))
        kind = type_of_constant(found)
        if kind is not None and kind.shape:
            return value
        if _of_operators(found):
            t.engine.look_into(Const(vars(found)))
            return Tup(tuple(Const(child) for child in found))
    raise t.fail(f"{described(value)} cannot be iterated over", "Iterate over range(n), a tuple or an array.")


def _of_operators(value: Any) -> bool:
    from operator_lib.core import Operator

    return isinstance(value, Operator) and isinstance(value, Sequence)


def mixed(value: Value) -> bool:
    """Whether the items are of several kinds: operators, strings, tuples of other lengths."""
    if not isinstance(value, Tup) or value.kind is range:
        return False
    if value.kind in (enumerate, zip):
        return any(mixed(item) for item in value.items)
    try:
        for item in value.items:
            join(value.items[0], item)
    except Conflict:
        return True
    return any(isinstance(opened(item), Const) and type_of(item) is None for item in value.items)


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


class Starred:
    """The kind of a `Tup` whose items stand where it stands: ``*value`` in a call, tuple or list."""


def starred(t: Tracer, value: Value) -> Value:
    """``*value``."""
    value, size = _fixed(t, value)
    return Tup(tuple(_element(t, value, place) for place in range(size)), Starred)


def spread(values: Sequence[Value]) -> list[Value]:
    """Arguments or elements, those with a star written out."""
    found: list[Value] = []
    for value in values:
        found += value.items if isinstance(value, Tup) and value.kind is Starred else (value,)
    return found


def unpacked(t: Tracer, value: Value, place: int, count: int, star: int | None) -> Value:
    """One of the names on the left of ``a, b = value``; the one at `star` gets a list of what the others leave."""
    value, size = _fixed(t, value)
    if star is None and size != count:
        many = "too many" if size > count else "not enough"
        raise t.fail(f"{many} values to unpack: {size} for {count} names")
    if star is not None and size < count - 1:
        raise t.fail(f"not enough values to unpack: {size} for {count - 1} names and one with a star")
    if star is None or place < star:
        return _element(t, value, place)
    end = size - (count - 1 - star)
    if place == star:
        return Tup(tuple(_element(t, value, n) for n in range(star, end)), list)
    return _element(t, value, end + place - star - 1)


def _fixed(t: Tracer, value: Value) -> tuple[Value, int]:
    """What is unpacked, and how many values that gives: the same for all examples."""
    if not isinstance(value, Lane) or not value.type.shape:
        value = iterated(t, value)
    return value, fixed_length(t, value)


def fixed_length(t: Tracer, value: Value) -> int:
    """How many values are unpacked, or rounds written out."""
    size = length(t, value)
    if not isinstance(size, Const):
        raise t.fail(
            "how many values there are to unpack differs from example to example",
            "Unpack a tuple, or an array: their length is the same for all; or go through them in a for loop.",
        )
    if size.value > MOST_UNPACKED:
        raise t.fail(f"{size.value:,} values to unpack are too many", "Pass on the array, and index it.")
    return size.value


def _element(t: Tracer, value: Value, place: int) -> Value:
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
