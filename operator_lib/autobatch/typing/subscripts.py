"""``x[i]`` and ``x[i] = v``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from operator_lib.autobatch.instructions import TensorType
from operator_lib.autobatch.typing import arithmetic
from operator_lib.autobatch.typing.joins import Conflict, described, promote, type_of_constant
from operator_lib.autobatch.typing.opened import NotStraight
from operator_lib.autobatch.typing.stand_ins import Unsuitable
from operator_lib.autobatch.typing.tracer import Tracer, heap_of
from operator_lib.autobatch.typing.values import BOOL, OUTSIDE, Const, Lane, Rec, Tup, Value

# A pattern is what stands in the brackets, in order: ("lane", number of the operand) or ("const", value).
Pattern = tuple[tuple[str, Any], ...]


def read(t: Tracer, base: Value, index: Value) -> Value:
    """``base[index]`` for one example."""
    if isinstance(base, Rec):
        found = base.get(_key(t, index))
        if found is None:
            raise t.fail(f"{described(base)} has no key {_key(t, index)!r}")
        return found
    if isinstance(base, Tup):
        return _from_tuple(t, base, index)
    if isinstance(base, Const):
        if isinstance(index, Const):
            t.engine.look_into(base)
            return _folded(t, base.value, index.value)
        if isinstance(base.value, list | tuple):
            return _from_constants(t, base, index)
        base_type = type_of_constant(base.value)
        if base_type is None or not base_type.shape:
            raise t.fail(f"{described(base)} cannot be indexed by what differs from example to example")
        return _from_array(t, base, base_type, index)
    if not isinstance(base, Lane):
        raise t.fail(f"{described(base)} cannot be indexed")
    return _from_array(t, base, base.type, index)


def write(t: Tracer, base: Value, index: Value, value: Value) -> None:
    """``base[index] = value``: whoever holds the array or dict sees it."""
    if t.engine.opened:
        raise NotStraight
    if isinstance(base, Rec):
        key = _key(t, index)
        if base.get(key) is None:
            raise t.fail(
                f"the dict gets a new key {key!r}", "Give it all its keys where it is made: the same for all examples."
            )
        t.kept(value)
        t.shared_by(value)
        pairs = tuple((name, value if name == key else old) for name, old in base.items)
        base.alias.note(stored=t.position)
        t.replaced(base, Rec(pairs, base.alias))
        return
    if isinstance(base, Tup):
        raise t.fail(f"{described(base)} cannot be changed", "Make an array of it (np.array), and change that.")
    if not isinstance(base, Lane) or not base.type.shape:
        raise t.fail(
            f"{described(base)} cannot be changed: it is the same for all examples", "Change a copy: x = x.copy()."
        )
    if base.view:
        raise t.fail("this writes into a view of an array", "Index the array itself: m[i, j] = v.")
    pattern, lanes = _pattern(t, index)
    number = _stored_number(t, base, pattern, lanes, value)
    assert base.alias is not None
    base.alias.note(stored=t.position)
    operands = (number, *(t.unboxed(lane) for lane in lanes))
    if base.boxed:
        t.effect("poke", (base, *operands), (heap_of(base), pattern))
        return
    result = t.emit("store", (base, *operands), base.type, pattern)
    t.replaced(base, Lane(result.type, result.name, base.alias))


def changed(t: Tracer, symbol: str, old: Lane, new: Value) -> Lane:
    """What ``array op= value`` puts into the array."""
    result = arithmetic.binary(t, symbol, old, new)
    assert isinstance(result, Lane)
    if result.type.shape != old.type.shape:
        raise t.fail(f"{symbol}= makes {result.type} of {old.type}", f"Write x = x {symbol} y.")
    if not np.can_cast(result.type.dtype, old.type.dtype, "same_kind"):
        raise t.fail(f"{symbol}= cannot put {result.type} into an array of {old.type}", f"Write x = x {symbol} y.")
    return result


def changed_whole(t: Tracer, symbol: str, old: Lane, new: Value) -> Value:
    """``array op= value``: changes the array in place, as NumPy does."""
    result = changed(t, symbol, old, new)
    before = dict(t.env)
    write(t, old, Const(Ellipsis), result)
    for name, value in t.env.items():
        was = before.get(name)
        if isinstance(was, Lane) and was.name == old.name:
            return value
    return old


def _key(t: Tracer, index: Value) -> Any:
    if not isinstance(index, Const):
        raise t.fail("a key of a dict differs from example to example", "Use an array and an index.")
    return index.value


def _folded(t: Tracer, base: Any, index: Any) -> Value:
    try:
        return Const(base[index])
    except Exception as error:
        raise t.fail(f"{described(Const(base))}[{index!r}]: {error}") from error


def _from_tuple(t: Tracer, base: Tup, index: Value) -> Value:
    if base.kind not in (tuple, list) and not hasattr(base.kind, "_fields"):
        from operator_lib.autobatch.typing.sequences import item

        return item(t, base, index)
    if isinstance(index, Const):
        try:
            found = base.items[index.value]
        except (IndexError, TypeError) as error:
            raise t.fail(f"{described(base)}[{index.value!r}]: {error}") from error
        return Tup(found, base.kind) if isinstance(found, tuple) else found
    return chosen(t, base.items, index)


def chosen(t: Tracer, items: tuple[Value, ...], index: Value) -> Value:
    """One of the items; which one differs from example to example."""
    if not isinstance(index, Lane) or index.type.shape or index.type.dtype.kind not in "iub":
        raise t.fail(f"a tuple cannot be indexed by {described(index)}")
    if not items:
        raise t.fail("an empty tuple has no items")
    size = len(items)
    low = t.emit("elementwise", (index, Const(-size)), BOOL, "<")
    high = t.emit("elementwise", (index, Const(size)), BOOL, ">=")
    t.check(t.emit("elementwise", (low, high), BOOL, "|"), IndexError, "tuple index out of range")
    if all(isinstance(item, Const) for item in items):
        return _from_constants(t, Const([item.value for item in items if isinstance(item, Const)]), index)
    found = items[0]
    for place, item in enumerate(items[1:], 1):
        here = t.emit("elementwise", (index, Const(place)), BOOL, "==")
        below = t.emit("elementwise", (index, Const(place - size)), BOOL, "==")
        found = arithmetic.selected(t, t.emit("elementwise", (here, below), BOOL, "|"), item, found)
    return found


def _from_constants(t: Tracer, base: Const, index: Value) -> Value:
    """A list or tuple of numbers that is the same for all examples."""
    t.engine.look_into(base)
    rows = [item for item in base.value if isinstance(item, tuple | list)]
    if rows and len(rows) == len(base.value) and len({(type(row), len(row)) for row in rows}) == 1:
        columns = (Const([row[place] for row in rows]) for place in range(len(rows[0])))
        return Tup(tuple(_from_constants(t, column, index) for column in columns), type(rows[0]))
    kinds = [type_of_constant(item) for item in base.value]
    kind = kinds[0] if kinds else None
    try:
        for other in kinds:
            if kind is None or other is None:
                raise Conflict("is not made of numbers")
            kind = promote(kind, other)
    except Conflict as conflict:
        raise t.fail(f"the sequence {conflict}", "All elements must have one type to be indexed.") from None
    if kind is None:
        raise t.fail("an empty sequence has no items")
    table = np.array(base.value, kind.dtype)
    found = _from_array(t, Const(table), TensorType(table.dtype, table.shape), index)
    if isinstance(found, Lane) and kind.weak:
        return Lane(TensorType(kind.dtype, found.type.shape, weak=True), found.name)
    return found


def _from_array(t: Tracer, base: Const | Lane, kind: TensorType, index: Value) -> Value:
    pattern, lanes = _pattern(t, index)

    def build(make: Callable[[TensorType], Any]) -> Any:
        return [np.ones(kind.shape, kind.dtype), rebuilt_index(pattern, [_zero(lane.type) for lane in lanes])], {}

    result = t.run_stand_ins(lambda array, at: array[at], build, f"indexing {kind}")
    found = TensorType(result.dtype, result.shape)
    if isinstance(base, Lane) and base.boxed and not found.shape:
        return t.emit_peek(base, lanes, found, pattern)
    is_view = bool(found.shape) and all(_basic(entry, lanes) for entry in pattern)
    made = t.emit("index", (base, *lanes), found, pattern, view_of=base if is_view and isinstance(base, Lane) else None)
    if is_view and made.alias is not None and isinstance(base, Const):
        made.alias.note(other=OUTSIDE)
    return made


def _pattern(t: Tracer, index: Value) -> tuple[Pattern, list[Lane]]:
    parts = index.items if isinstance(index, Tup) and index.kind is tuple else (index,)
    if isinstance(index, Const) and isinstance(index.value, tuple):
        parts = tuple(Const(part) for part in index.value)
    pattern: list[tuple[str, Any]] = []
    lanes: list[Lane] = []
    for part in parts:
        if isinstance(part, Tup) and part.kind in (tuple, list) and all(isinstance(i, Const) for i in part.items):
            part = Const([item.value for item in part.items if isinstance(item, Const)])
        if isinstance(part, Const):
            pattern.append(("const", part.value))
        elif isinstance(part, Lane):
            if part.type.dtype.kind == "b":
                raise t.fail(
                    "a mask that differs from example to example gives arrays of different lengths",
                    "Use np.where(mask, x, other), or np.sum(x, where=mask).",
                )
            pattern.append(("lane", len(lanes)))
            lanes.append(part)
        else:
            raise t.fail(f"{described(part)} cannot be an index")
    return tuple(pattern), lanes


def rebuilt_index(pattern: Pattern, lanes: list[Any]) -> Any:
    """What stands in the brackets, from the operands."""
    parts = tuple(lanes[value] if kind == "lane" else value for kind, value in pattern)
    return parts[0] if len(parts) == 1 else parts


def _zero(kind: TensorType) -> Any:
    return np.zeros(kind.shape, kind.dtype) if kind.shape else kind.dtype.type(0)


def _basic(entry: tuple[str, Any], lanes: list[Lane]) -> bool:
    kind, value = entry
    if kind == "lane":
        return not lanes[value].type.shape
    return value is None or value is Ellipsis or isinstance(value, slice | int | np.integer)


def _stored_number(t: Tracer, base: Lane, pattern: Pattern, lanes: list[Lane], value: Value) -> Const | Lane:
    """The value to be written, checked to fit."""
    if isinstance(value, Tup):
        from operator_lib.autobatch.typing.calls import call

        value = call(t, Const(np.array), [value], {})
    kind = t.typed_of(value, "writing into an array")
    assert isinstance(value, Const | Lane)

    def attempt(_: Any = None) -> Any:
        array = np.zeros(base.type.shape, base.type.dtype)
        array[rebuilt_index(pattern, [_zero(lane.type) for lane in lanes])] = np.ones(kind.shape, kind.dtype)
        return array

    try:
        t.engine.stand_ins.run(attempt, lambda _: ([None], {}))
    except Unsuitable as error:
        raise t.fail(f"writing {kind} into {base.type}: {error}") from error
    return t.unboxed(value) if isinstance(value, Lane) else value
