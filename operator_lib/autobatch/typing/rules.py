"""What each instruction means for values of one example."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from operator_lib.autobatch.instructions import PrimOp
from operator_lib.autobatch.typing import arithmetic, subscripts
from operator_lib.autobatch.typing.attributes import attribute
from operator_lib.autobatch.typing.calls import call
from operator_lib.autobatch.typing.engine import WrittenOut
from operator_lib.autobatch.typing.joins import described
from operator_lib.autobatch.typing.sequences import (
    fixed_length,
    item,
    iterated,
    length,
    mixed,
    spread,
    starred,
    unpacked,
)
from operator_lib.autobatch.typing.tracer import Tracer
from operator_lib.autobatch.typing.values import Const, Lane, Maybe, Rec, Tup, Value, opened


def _const(t: Tracer, op: PrimOp) -> None:
    t.set(op, Const(op.detail))


def _load(t: Tracer, op: PrimOp) -> None:
    name = op.vars_in[0]
    value = t.env.get(name)
    if value is None:
        raise t.fail(f"{name} is read before it is assigned")
    if isinstance(value, Maybe):
        missing = t.emit("elementwise", (value.flag,), value.flag.type, "not")
        text = f"cannot access local variable {name!r} where it is not associated with a value"
        t.check(missing, UnboundLocalError, text)
        value = value.inner
        t.env[name] = value
    t.set(op, value)


def _name(t: Tracer, op: PrimOp) -> None:
    try:
        value = t.code.outside(op.detail)
    except KeyError:
        raise t.fail(f"name {op.detail!r} is not defined") from None
    t.engine.read_name(t.code, op.detail, value)
    t.set(op, Const(value))


def _getattr(t: Tracer, op: PrimOp) -> None:
    t.set(op, attribute(t, t.env[op.vars_in[0]], op.detail))


def _binary(t: Tracer, op: PrimOp) -> None:
    t.set(op, arithmetic.binary(t, op.detail, t.env[op.vars_in[0]], t.env[op.vars_in[1]]))


def _unary(t: Tracer, op: PrimOp) -> None:
    t.set(op, arithmetic.unary(t, op.detail, t.env[op.vars_in[0]]))


def _compare(t: Tracer, op: PrimOp) -> None:
    t.set(op, arithmetic.compare(t, op.detail, t.env[op.vars_in[0]], t.env[op.vars_in[1]]))


def _inplace(t: Tracer, op: PrimOp) -> None:
    old, new = t.env[op.vars_in[0]], t.env[op.vars_in[1]]
    if isinstance(opened(old), Tup) and getattr(opened(old), "kind", None) is list:
        raise t.fail(f"a list that {op.detail}= changes cannot be batched", f"Write x = x {op.detail} [...].")
    if isinstance(old, Lane) and old.view and op.vars_out[0].startswith("%"):  # v[1:] += 1: it is stored next
        t.set(op, subscripts.changed(t, op.detail, old, new))
    elif isinstance(old, Lane) and old.type.shape:
        t.set(op, subscripts.changed_whole(t, op.detail, old, new))
    else:
        t.set(op, arithmetic.binary(t, op.detail, old, new))


def _move(t: Tracer, op: PrimOp) -> None:
    value = t.env[op.vars_in[0]]
    if not op.vars_out[0].startswith("%"):
        t.kept(value)
        t.shared_by(value, op.vars_out[0])
    t.set(op, value)


def _call(t: Tracer, op: PrimOp) -> None:
    values = [t.env[name] for name in op.vars_in[1:]]
    count = len(values) - len(op.detail)
    keywords: dict[str, Value] = {}
    for name, value in zip(op.detail, values[count:], strict=True):
        given = {name: value} if name is not None else dict(value.items) if isinstance(value, Rec) else {}
        for twice in keywords.keys() & given.keys():
            raise t.fail(f"got multiple values for keyword argument {twice!r}")
        keywords.update(given)
    t.set(op, call(t, t.env[op.vars_in[0]], spread(values[:count]), keywords))


def _tuple(t: Tracer, op: PrimOp) -> None:
    t.set(op, _collected(t, op, tuple))


def _list(t: Tracer, op: PrimOp) -> None:
    t.set(op, _collected(t, op, list))


def _collected(t: Tracer, op: PrimOp, kind: type) -> Value:
    values = tuple(spread([t.env[name] for name in op.vars_in]))
    if all(isinstance(value, Const) for value in values) and kind is tuple:
        return Const(tuple(value.value for value in values if isinstance(value, Const)))
    for value in values:
        t.kept(value)
        t.shared_by(value)
    return Tup(values, kind)


def _keywords(t: Tracer, op: PrimOp) -> None:
    value = opened(t.env[op.vars_in[0]])
    if not isinstance(value, Rec) or not all(isinstance(key, str) for key, _ in value.items):
        raise t.fail(f"{described(value)} is no dict of keyword arguments", "Write the keyword arguments out.")
    if isinstance(t.env[op.vars_in[0]], Const):
        t.engine.look_into(t.env[op.vars_in[0]])
    t.set(op, value)


def _starred(t: Tracer, op: PrimOp) -> None:
    t.set(op, starred(t, t.env[op.vars_in[0]]))


def _dict(t: Tracer, op: PrimOp) -> None:
    keys = [t.env[name] for name in op.vars_in[::2]]
    values = [t.env[name] for name in op.vars_in[1::2]]
    pairs: list[tuple[Any, Value]] = []
    for key, value in zip(keys, values, strict=True):
        if isinstance(key, Rec):  # **key
            pairs += key.items
            continue
        if not isinstance(key, Const):
            raise t.fail("a key of a dict differs from example to example", "Use an array and an index.")
        t.kept(value)
        t.shared_by(value)
        pairs.append((key.value, value))
    alias = t.instance.alias((t.block.name, t.index, t.path, "dict"))
    t.set(op, Rec(tuple(dict(pairs).items()), alias))


def _index(t: Tracer, op: PrimOp) -> None:
    t.set(op, subscripts.read(t, t.env[op.vars_in[0]], t.env[op.vars_in[1]]))


def _slice(t: Tracer, op: PrimOp) -> None:
    parts = tuple(t.env[name] for name in op.vars_in)
    if all(isinstance(part, Const) for part in parts):
        t.set(op, Const(slice(*(part.value for part in parts if isinstance(part, Const)))))
        return
    raise t.fail(
        "the bounds of this slice differ from example to example, so would its length",
        "Use a mask: np.where(np.arange(len(x)) < n, x, 0), or a loop.",
    )


def _store(t: Tracer, op: PrimOp) -> None:
    subscripts.write(t, *(t.env[name] for name in op.vars_in))


def _unpack(t: Tracer, op: PrimOp) -> None:
    t.set(op, unpacked(t, t.env[op.vars_in[0]], *op.detail))


def _iterate(t: Tracer, op: PrimOp) -> None:
    value = iterated(t, t.env[op.vars_in[0]])
    place, rounds = op.detail
    if rounds is not None or mixed(value):
        size = fixed_length(t, value)
        if rounds is None or size > rounds:
            raise WrittenOut(t.code.function, place, size)
    t.set(op, value)


def _length(t: Tracer, op: PrimOp) -> None:
    t.set(op, length(t, t.env[op.vars_in[0]]))


def _item(t: Tracer, op: PrimOp) -> None:
    t.set(op, item(t, t.env[op.vars_in[0]], t.env[op.vars_in[1]]))


RULES: dict[str, Callable[[Tracer, PrimOp], None]] = {
    "const": _const,
    "load": _load,
    "name": _name,
    "getattr": _getattr,
    "binary": _binary,
    "unary": _unary,
    "compare": _compare,
    "inplace": _inplace,
    "move": _move,
    "call": _call,
    "tuple": _tuple,
    "list": _list,
    "starred": _starred,
    "keywords": _keywords,
    "dict": _dict,
    "index": _index,
    "slice": _slice,
    "store": _store,
    "unpack": _unpack,
    "iterate": _iterate,
    "length": _length,
    "item": _item,
}
