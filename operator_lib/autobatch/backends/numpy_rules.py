"""What functions of NumPy mean for whole batches: the lanes' axis first, each example by itself.

A rule gives None when it does not know a way that gives every lane the very bits that it would get alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from operator_lib.autobatch.typing.ops import Op
from operator_lib.autobatch.typing.values import Lane

Array = Any


@dataclass(frozen=True, slots=True)
class Rows:
    """An operand with a row for each lane."""

    array: Array
    rank: int
    """Dimensions of one example."""


class Unknown(Exception):
    """No rule fits these arguments."""


def batched(op: Op) -> Callable[..., Any] | None:
    """A function of the number of lanes and the operands (with their marks) that does the call for all; or None."""
    rule = _RULES.get(op.detail.function)
    if rule is None:
        return None
    ranks = [len(arg.type.shape) if isinstance(arg, Lane) else 0 for arg in op.args]
    types = [arg.type for arg in op.args if isinstance(arg, Lane)]
    outs = op.outs
    build = op.detail.build

    template = _template(op)

    def run(count: int, *given: Any) -> Any:
        if template is not None:
            return rule(count, *[arg if n < 0 else Rows(given[n][0], ranks[n]) for n, arg in template])
        args, named = build(lambda place: Rows(given[place][0], ranks[place]))
        return rule(count, *args, **named)

    samples = [(np.ones((2, *kind.shape), kind.dtype), "s") for kind in types]
    try:
        with np.errstate(all="ignore"):
            results = run(2, *samples)
    except Exception:
        return None
    found = results if isinstance(results, tuple) else (results,)
    fits = len(found) == len(outs) and all(
        isinstance(r, np.ndarray) and r.shape == (2, *o.type.shape) and r.dtype == o.type.dtype
        for r, o in zip(found, outs, strict=True)
    )
    if not fits:
        return None
    ufunc = _REDUCED_BY.get(op.detail.function)
    if ufunc is None or ranks != [1] or template != [(0, None)]:
        return run
    return lambda _, given: ufunc.reduce(np.ascontiguousarray(given[0]), axis=1)


def _template(op: Op) -> list[tuple[int, Any]] | None:
    """The arguments, each the number of an operand, or -1 and what it is for all; None when they are not that plain."""
    marks = [object() for _ in op.args]
    args, named = op.detail.build(marks.__getitem__)
    numbers = [next((n for n, mark in enumerate(marks) if mark is arg), -1) for arg in args]
    if named or sorted(n for n in numbers if n >= 0) != list(range(len(marks))):
        return None
    return [(n, arg if n < 0 else None) for n, arg in zip(numbers, args, strict=True)]


def _whole(count: int, value: Any) -> Array:
    """The operand with the lanes' axis, also when it is the same for all."""
    if isinstance(value, Rows):
        return value.array
    if isinstance(value, tuple | list):
        return _stacked(count, value)
    made = np.asarray(value)
    return np.broadcast_to(made, (count, *made.shape))


def _rank(value: Any) -> int:
    if isinstance(value, Rows):
        return value.rank
    if isinstance(value, tuple | list):
        return 1 + max(map(_rank, value), default=0)
    return np.ndim(value)


def _stacked(count: int, values: Sequence[Any]) -> Array:
    """What ``np.array([a, b])`` makes, for every lane; numbers that are the same for all take the others' type."""
    found = [_whole(count, value) if not isinstance(value, bool | int | float) else value for value in values]
    arrays = [value for value in found if isinstance(value, np.ndarray)]
    rows = [v if isinstance(v, np.ndarray) else np.broadcast_to(np.asarray(v), arrays[0].shape) for v in found]
    return np.stack(rows, axis=1)


def _axes(axis: Any, rank: int) -> Any:
    """An axis of one example as an axis of the batch."""
    if axis is None:
        return tuple(range(1, rank + 1))
    if isinstance(axis, tuple | list):
        return tuple(_axes(one, rank) for one in axis)
    if not -rank <= axis < rank:
        raise Unknown
    return int(axis) + 1 if axis >= 0 else int(axis)


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    def rule(count: int, x: Any, axis: Any = None, **named: Any) -> Array:
        rank = _rank(x)
        if not set(named) <= {"keepdims", "ddof", "dtype", "where", "initial"} or not rank:
            raise Unknown
        if isinstance(named.get("where"), Rows):
            named["where"] = named["where"].array
        rows = np.ascontiguousarray(_whole(count, x))
        if axis is None and rank > 1:
            if named:
                raise Unknown
            rows, rank = rows.reshape(count, -1), 1
        return np.asarray(function(rows, axis=_axes(axis, rank), **named))

    return rule


def _one_axis(function: Callable[..., Any]) -> Callable[..., Any]:
    """Functions that flatten, or use the last axis, when none is given."""

    def rule(count: int, x: Any, axis: Any = None) -> Array:
        rows = np.ascontiguousarray(_whole(count, x))
        if axis is None:
            rows, axis = rows.reshape(count, -1), 0
        return np.asarray(function(rows, axis=_axes(axis, rows.ndim - 1)))

    return rule


def _last_axis(function: Callable[..., Any]) -> Callable[..., Any]:
    def rule(count: int, x: Any, axis: int = -1) -> Array:
        rows = _whole(count, x)
        return np.asarray(function(rows, axis=_axes(axis, rows.ndim - 1)))

    return rule


def _aligned(count: int, values: Sequence[Any]) -> list[Array]:
    """Operands of an elementwise function: the same number of axes, the lanes' first."""
    most = max(map(_rank, values))
    found: list[Array] = []
    for value in values:
        if isinstance(value, Rows):
            missing = (1,) * (most - value.rank)
            found.append(value.array.reshape((count, *missing, *value.array.shape[1:])))
        else:
            found.append(value)
    return found


def _where(count: int, *values: Any) -> Array:
    condition, one, two = _aligned(count, values)
    return np.where(condition, one, two)


def _clip(count: int, x: Any, low: Any = None, high: Any = None) -> Array:
    return np.clip(*_aligned(count, (x, low, high)))


def _array(count: int, values: Any, dtype: Any = None) -> Array:
    rows = _stacked(count, values) if isinstance(values, tuple | list) else np.array(_whole(count, values))
    return rows if dtype is None else rows.astype(dtype)


def _stack(count: int, values: Any, axis: int = 0) -> Array:
    rows = [_whole(count, value) for value in values]
    return np.stack(rows, axis=_axes(axis, rows[0].ndim))


def _concatenate(count: int, values: Any, axis: int = 0) -> Array:
    rows = [_whole(count, value) for value in values]
    return np.concatenate(rows, axis=_axes(axis, rows[0].ndim - 1))


def _append(count: int, x: Any, more: Any) -> Array:
    rows = [_whole(count, value).reshape(count, -1) for value in (x, more)]
    return np.concatenate(rows, axis=1)


def _matmul(count: int, a: Any, b: Any) -> Array:
    """Lane by lane inside of NumPy, so that a lane's bits do not depend on how many there are."""
    ranks = _rank(a), _rank(b)
    one, two = (np.ascontiguousarray(_whole(count, v)) if isinstance(v, Rows) else np.asarray(v)[None] for v in (a, b))
    if ranks == (1, 1):
        return np.vecdot(one, two)
    if ranks[0] >= 2 and ranks[1] == 1:
        return np.matvec(one, two)
    if ranks[0] == 1 and ranks[1] >= 2:
        return np.vecmat(one, two)
    return np.matmul(one, two)


def _dot(count: int, a: Any, b: Any) -> Array:
    if _rank(a) == 0 or _rank(b) == 0:
        return np.multiply(*_aligned(count, (a, b)))
    if _rank(b) > 2 or _rank(a) > 2:
        raise Unknown
    return _matmul(count, a, b)


def _outer(count: int, a: Any, b: Any) -> Array:
    one, two = (_whole(count, value).reshape(count, -1) for value in (a, b))
    return one[:, :, None] * two[:, None, :]


def _reshape(count: int, x: Any, shape: Any, *more: Any) -> Array:
    sizes = (*shape, *more) if isinstance(shape, tuple | list) else (shape, *more)
    return np.ascontiguousarray(_whole(count, x)).reshape((count, *sizes))


def _ravel(count: int, x: Any) -> Array:
    return np.ascontiguousarray(_whole(count, x)).reshape((count, -1))


def _transpose(count: int, x: Any, axes: Any = None) -> Array:
    rows = _whole(count, x)
    order = range(_rank(x))[::-1] if axes is None else axes
    return np.ascontiguousarray(np.transpose(rows, (0, *(_axes(axis, _rank(x)) % rows.ndim for axis in order))))


def _like(function: Callable[..., Any]) -> Callable[..., Any]:
    def rule(count: int, x: Any, *rest: Any, dtype: Any = None) -> Array:
        return function(_whole(count, x), *rest, dtype=dtype)

    return rule


def _elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    def rule(count: int, *values: Any, **named: Any) -> Any:
        if any(isinstance(value, Rows) for value in named.values()):
            raise Unknown
        return function(*_aligned(count, values), **named)

    return rule


def _flip(count: int, x: Any, axis: Any = None) -> Array:
    rows = _whole(count, x)
    return np.ascontiguousarray(np.flip(rows, _axes(axis, rows.ndim - 1)))


def _roll(count: int, x: Any, shift: Any, axis: Any = None) -> Array:
    if isinstance(shift, Rows) or (axis is None and _rank(x) != 1):
        raise Unknown
    return np.roll(_whole(count, x), shift, _axes(0 if axis is None else axis, _rank(x)))


def _take(count: int, x: Any, at: Any) -> Array:
    if _rank(x) != 1 or _rank(at) > 1:
        raise Unknown
    rows, places = _whole(count, x), _whole(count, at)
    index = places if places.ndim == 2 else places[:, None]
    found = np.take_along_axis(rows, index, 1)
    return found if _rank(at) else found[:, 0]


def _norm(count: int, x: Any) -> Array:
    if _rank(x) != 1:
        raise Unknown
    rows = np.ascontiguousarray(_whole(count, x))
    return np.sqrt(np.vecdot(rows, rows))


# What these functions come to for rows, without the way there.
_REDUCED_BY: dict[Any, np.ufunc] = {
    np.sum: np.add,
    np.prod: np.multiply,
    np.max: np.maximum,
    np.min: np.minimum,
    np.any: np.logical_or,
    np.all: np.logical_and,
}
_RULES: dict[Any, Callable[..., Any]] = {
    **{f: _reduction(f) for f in (np.sum, np.mean, np.prod, np.max, np.min, np.any, np.all, np.std, np.var)},
    **{f: _reduction(f) for f in (np.amax, np.amin, np.nansum, np.nanmax, np.nanmin, np.count_nonzero)},
    **{f: _one_axis(f) for f in (np.argmax, np.argmin, np.cumsum, np.cumprod)},
    **{f: _last_axis(f) for f in (np.sort, np.argsort, np.diff)},
    **{f: _like(f) for f in (np.zeros_like, np.ones_like, np.full_like, np.empty_like)},
    **{f: _elementwise(f) for f in (np.real, np.imag, np.isclose, np.nan_to_num, np.round, np.heaviside, np.sinc)},
    np.where: _where,
    np.clip: _clip,
    np.array: _array,
    np.asarray: _array,
    np.stack: _stack,
    np.concatenate: _concatenate,
    np.append: _append,
    np.matmul: _matmul,
    np.dot: _dot,
    np.vdot: _dot,
    np.inner: _dot,
    np.outer: _outer,
    np.reshape: _reshape,
    np.ravel: _ravel,
    np.transpose: _transpose,
    np.flip: _flip,
    np.roll: _roll,
    np.take: _take,
    np.linalg.norm: _norm,
}
