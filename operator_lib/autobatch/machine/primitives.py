"""Source text of single operations for NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from operator_lib.autobatch.machine import lanewise
from operator_lib.autobatch.typing.ops import Op, Operand
from operator_lib.autobatch.typing.values import Const, Lane

if TYPE_CHECKING:
    from operator_lib.autobatch.machine.emit import Emitter


def write(e: Emitter, op: Op) -> None:
    """Append the text of one operation."""
    _WRITERS[op.kind](e, op)


def rank(value: Operand) -> int:
    """Dimensions of one example."""
    return len(value.type.shape) if isinstance(value, Lane) else np.ndim(value.value)


def aligned(e: Emitter, value: Operand, dimensions: int) -> str:
    """The operand, with the lanes' axis first and its own axes last among `dimensions` of them."""
    text = e.operand(value)
    missing = dimensions - rank(value)
    if isinstance(value, Const) or not missing:
        return text
    if not rank(value):
        return f"{text}[:{', None' * missing}]"
    return f"{text}[:{', None' * missing}, ...]"


def _elementwise(e: Emitter, op: Op) -> None:
    dimensions = len(op.outs[0].type.shape)
    args = [aligned(e, value, dimensions) for value in op.args]
    out = e.variable(op.outs[0])
    if op.detail == "not":
        e.line(f"{out} = ~{args[0]}")
    elif isinstance(op.detail, str) and len(args) == 1:
        e.line(f"{out} = {op.detail[1:]}{args[0]}")
    elif isinstance(op.detail, str):
        args = [_number(e, op, place) or text for place, text in enumerate(args)]
        e.line(f"{out} = {args[0]} {op.detail} {args[1]}")
        if e.dialect.name != "numpy" and op.detail in ("//", "%") and op.outs[0].type.dtype.kind in "iu":
            e.lines.pop()
            _guarded(e, op, f"{out} = {args[0]} {op.detail} {args[1]}", lanewise.operator_of(op.detail))
        if op.detail == "**" and op.outs[0].type.dtype.kind in "iu":
            e.lines.pop()
            _guarded(e, op, f"{out} = {args[0]} ** {args[1]}", lanewise.operator_of("**"))
    else:
        e.line(f"{out} = {e.name(e.dialect.function(op.detail), 'f')}({', '.join(args)})")
    _retyped(e, op)


def _number(e: Emitter, op: Op, place: int) -> str:
    """The name of a constant operand in the type that the operation has for it; "" to write it as it is."""
    value, other, kind = op.args[place], op.args[1 - place], op.outs[0].type.dtype
    if e.dialect.name != "numpy" or op.detail == "**" or not isinstance(value, Const) or not isinstance(other, Lane):
        return ""
    if type(value.value) not in (int, float) or other.type.dtype.kind not in "if":
        return ""
    if kind.kind == "b":  # a comparison
        kind = other.type.dtype if type(value.value) is int or other.type.dtype.kind == "f" else np.dtype(float)
    if kind.kind not in "if":
        return ""
    try:
        return e.scalar(value.value, kind)
    except OverflowError:
        return ""


def _retyped(e: Emitter, op: Op) -> None:
    """Libraries that promote batches in another way than single numbers get the type of a single one."""
    if e.dialect.name == "numpy" or op.outs[0].type.dtype.kind == "b":
        return
    kinds = {a.type.dtype for a in op.args if isinstance(a, Lane)}
    if kinds != {op.outs[0].type.dtype} or any(isinstance(a, Const) for a in op.args):
        out, dtype = e.variable(op.outs[0]), e.name(e.dialect.dtype(op.outs[0].type.dtype), "t")
        e.line(f"{out} = {e.dialect.cast(out, dtype)}")


def _cast(e: Emitter, op: Op) -> None:
    out, dtype = op.outs[0], e.name(e.dialect.dtype(op.outs[0].type.dtype), "t")
    if op.outs[0].type.dtype.kind == "b":
        e.line(f"{e.variable(out)} = {e.operand(op.args[0])} != 0")
    else:
        e.line(f"{e.variable(out)} = {e.dialect.cast(e.operand(op.args[0]), dtype)}")


def _select(e: Emitter, op: Op) -> None:
    out = op.outs[0]
    condition, one, two = op.args
    dimensions = len(out.held().shape)
    test = aligned(e, condition, dimensions)
    if out.held().dtype.kind == "b" and not dimensions and _same(two, condition):
        e.line(f"{e.variable(out)} = {test} & {e.operand(one)}")
    elif out.held().dtype.kind == "b" and not dimensions and _same(one, condition):
        e.line(f"{e.variable(out)} = {test} | {e.operand(two)}")
    else:
        sides = [_typed(e, value, out) for value in (one, two)]
        e.line(f"{e.variable(out)} = where({test}, {sides[0]}, {sides[1]})")


def _same(one: Operand, two: Operand) -> bool:
    return isinstance(one, Lane) and isinstance(two, Lane) and one.name == two.name


def _typed(e: Emitter, value: Operand, out: Lane) -> str:
    if isinstance(value, Lane):
        return e.variable(value)
    made = np.asarray(value.value, out.held().dtype)
    return e.name(e.dialect.constant(made if made.ndim else made[()]))


def _reshape(e: Emitter, op: Op) -> None:
    e.line(f"{e.variable(op.outs[0])} = {e.operand(op.args[0])}.reshape((k, *{op.outs[0].type.shape!r}))")


def _copy(e: Emitter, op: Op) -> None:
    e.line(f"{e.variable(op.outs[0])} = {e.dialect.copy(e.operand(op.args[0]))}")


def _spread(e: Emitter, op: Op) -> None:
    if isinstance(op.args[0], Lane):
        e.line(f"{e.variable(op.outs[0])} = {e.operand(op.args[0])}")
    else:
        e.line(f"{e.variable(op.outs[0])} = {e.spread(op.args[0], op.outs[0])}")


def _index(e: Emitter, op: Op) -> None:
    base, *lanes = op.args
    inside = lanewise.subscript(op.detail, [e.operand(a) for a in lanes], [rank(a) for a in lanes], e)
    single = lanewise.indexer(op.detail)
    out = e.variable(op.outs[0])
    if inside is None:
        call = f"{e.name(e.dialect.call_each, 'f')}({e.name(single, 'f')}, k, ({_dtype(e, op)},), {_given(e, op)})"
        e.line(f"({out},), failed = {call}")
        _failed(e, op)
        return
    if not lanes:
        kept = isinstance(base, Lane) and base.alias is not None and base.alias.stored is not None
        text = f"{e.operand(base)}[:, {inside}]"
        e.line(f"{out} = {e.dialect.copy(text) if kept else text}")
        return
    if isinstance(base, Const):
        plain = all(kind == "lane" for kind, _ in op.detail)
        text = f"{e.operand(base)}[{inside}]" if plain else f"{e.operand(base)}[None][zeros(k, int), {inside}]"
    else:
        rows = "arange(k)" if max(map(rank, lanes)) == 0 else f"arange(k)[:{', None' * max(map(rank, lanes))}]"
        text = f"{e.operand(base)}[{rows}, {inside}]"
    _guarded(e, op, f"{out} = {text}", single)


def _store(e: Emitter, op: Op) -> None:
    base, value, *lanes = op.args
    out, target = e.variable(op.outs[0]), e.operand(base)
    inside = lanewise.subscript(op.detail, [e.operand(a) for a in lanes], [rank(a) for a in lanes], e)
    if inside is None:
        _store_each(e, op.detail, target, value, lanes)
        e.line(f"{out} = {target}")
        _failed(e, op)
        return
    if e.dialect.copies_before_store:
        e.line(f"{target} = {e.dialect.copy(target)}")
    number = _fitted(e, value, base, op.detail)
    where = f"arange(k), {inside}" if lanes else f":, {inside}"
    _guarded(e, op, f"{target}[{where}] = {number}", lanewise.storer(op.detail))
    e.line(f"{out} = {target}")


def _store_each(e: Emitter, pattern: Any, target: str, value: Operand, lanes: list[Operand]) -> None:
    """``failed``: what went wrong, by place of the lane."""
    given = [e.name(pattern), target, e.operand(value), str(rank(value)), *map(e.operand, lanes)]
    e.line(f"failed = {e.name(lanewise.store_each, 'f')}({', '.join(given)})")


def _fitted(e: Emitter, value: Operand, base: Lane | Const, pattern: Any) -> str:
    """The stored value, aligned with the place where it goes."""
    kind = base.type if isinstance(base, Lane) else None
    assert kind is not None
    return aligned(e, value, lanewise.selected_rank(pattern, kind.shape))


def _box(e: Emitter, op: Op) -> None:
    e.line(f"{e.variable(op.outs[0])} = S.heaps[{_heap(e, op.detail)}].put({e.operand(op.args[0])})")


def _unbox(e: Emitter, op: Op) -> None:
    e.line(f"{e.variable(op.outs[0])} = S.heaps[{_heap(e, op.detail)}].array[{e.operand(op.args[0])}]")


def _poke(e: Emitter, op: Op) -> None:
    base, value, *lanes = op.args
    heap, pattern = op.detail
    inside = lanewise.subscript(pattern, [e.operand(a) for a in lanes], [rank(a) for a in lanes], e)
    assert isinstance(base, Lane)
    array, rows = f"S.heaps[{_heap(e, heap)}].array", e.operand(base)
    if inside is None:
        e.line(f"some = {array}[{rows}]")
        _store_each(e, pattern, "some", value, lanes)
        e.line(f"{array}[{rows}] = some")
        _failed(e, op)
        return
    number = aligned(e, value, lanewise.selected_rank(pattern, base.type.shape))
    _guarded(e, op, f"{array}[{rows}, {inside}] = {number}", lanewise.poker(pattern), f"{array}, ")


def _peek(e: Emitter, op: Op) -> None:
    base, *lanes = op.args
    heap, pattern = op.detail
    inside = lanewise.subscript(pattern, [e.operand(a) for a in lanes], [rank(a) for a in lanes], e)
    assert inside is not None, "an index that selects one number has a text"
    array, rows = f"S.heaps[{_heap(e, heap)}].array", e.operand(base)
    text = f"{e.variable(op.outs[0])} = {array}[{rows}, {inside}]"
    _guarded(e, op, text, lanewise.peeker(pattern), f"{array}, ")


def _heap(e: Emitter, key: Any) -> int:
    alias, kind = key
    return e.layout.heaps.setdefault((alias, kind), len(e.layout.heaps))


def _math(e: Emitter, op: Op) -> None:
    out = e.variable(op.outs[0])
    own = e.dialect.math(op.detail)
    if own is not None:
        dtype = e.name(e.dialect.dtype(op.outs[0].type.dtype), "t")
        text = f"{e.name(own, 'f')}({', '.join(map(e.operand, op.args))})"
        e.line(f"{out} = {e.dialect.cast(text, dtype)}")
        return
    function = e.name(op.detail, "f")
    each = e.name(e.dialect.mapped, "f")
    e.line(f"{out}, failed = {each}({function}, k, {_dtype(e, op)}, {''.join(e.operand(a) + ', ' for a in op.args)})")
    _failed(e, op)


def _library(e: Emitter, op: Op) -> None:
    outs = [e.variable(out) for out in op.outs]
    whole = e.dialect.batched(op) if op.kind == "library" else None
    given = _given(e, op)
    if whole is None:
        names = ", ".join(outs) + ", " if outs else ""
        kinds = e.name(tuple((out.type.shape, out.type.dtype) for out in op.outs))
        e.line(f"({names}), failed = {e.name(e.dialect.call_each, 'f')}({e.name(lanewise.caller(op.detail), 'f')}, "
               f"k, {kinds}, {given})")  # fmt: skip
        _failed(e, op)
        return
    _guarded(e, op, f"{', '.join(outs)} = {e.name(whole, 'f')}(k, {given})", lanewise.caller(op.detail))


def _given(e: Emitter, op: Op) -> str:
    """Operands for a call lane by lane, each with whether it is a Python number, or a constant."""
    marked: list[str] = []
    for value in op.args:
        kind = "c" if isinstance(value, Const) else "w" if value.type.weak else "s"
        marked.append(f"({e.operand(value)}, {kind!r})")
    return ", ".join(marked)


def _dtype(e: Emitter, op: Op) -> str:
    return e.name((op.outs[0].type.shape, op.outs[0].type.dtype))


def _guarded(e: Emitter, op: Op, text: str, single: Callable[..., Any], prefix: str = "") -> None:
    """Run for all lanes; if that raises, find the lanes that do, drop them and run for the others."""
    e.line("try:")
    e.line(text, 2)
    e.line("except Exception:")
    given = _given(e, op)
    e.line(f"failed = {e.name(lanewise.failing, 'f')}({e.name(single, 'f')}, k, {prefix}{given})", 2)
    e.line("if not failed: raise", 2)
    _drop(e, op, made=False)
    e.line(text, 2)


def _failed(e: Emitter, op: Op) -> None:
    """Drop the lanes in ``failed``; the results are there already."""
    e.line("if failed:")
    _drop(e, op, made=True)


def _drop(e: Emitter, op: Op, *, made: bool) -> None:
    e.line(f"bad = {e.name(lanewise.marked, 'f')}(failed, k)", 2)
    e.line(f"keep = S.fail({e.function_number()}, link, bad, failed.get, {e.position(op)})", 2)
    outs = {out.name for out in op.outs}
    e.drop(2, made=outs if made else set(), unmade=set() if made else outs)


def _raise_if(e: Emitter, op: Op) -> None:
    kind, text = op.detail
    bad = e.operand(op.args[0])
    e.line(f"if {bad}.any():")
    bad = e.dialect.host(bad)
    make = f"lambda at: {e.name(kind, 'x')}({text!r})"
    e.line(f"keep = S.fail({e.function_number()}, link, {bad}, {make}, {e.position(op)})", 2)
    e.drop(2)


def _call(e: Emitter, op: Op) -> None:
    """Stackless: the lanes that are here make the call together, and wait for it."""
    callee = e.program.functions[op.detail.label]
    given = [e.spread(value, param) for value, param in zip(op.args, callee.parameters, strict=True)]
    outs = "".join(e.variable(out) + ", " for out in op.outs)
    label = e.constant(callee.label)
    packet = f"({''.join(value + ', ' for value in given)})"
    where = f"{e.function_number()}, link, {e.name(op.position, 'p')}"
    e.line(f"({outs}), keep = S.nested(S, {label}, k, {packet}, {where})")
    e.line("if keep is not None:")
    e.drop(2, made={out.name for out in op.outs})


_WRITERS: dict[str, Callable[[Emitter, Op], None]] = {
    "elementwise": _elementwise,
    "cast": _cast,
    "select": _select,
    "reshape": _reshape,
    "copy": _copy,
    "spread": _spread,
    "index": _index,
    "store": _store,
    "box": _box,
    "unbox": _unbox,
    "peek": _peek,
    "poke": _poke,
    "math": _math,
    "library": _library,
    "each": _library,
    "raise_if": _raise_if,
    "call": _call,
}
