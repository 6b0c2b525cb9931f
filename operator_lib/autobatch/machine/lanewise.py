"""One lane at a time: for what has no meaning for whole batches, and to find out which lanes an operation fails for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from operator_lib.autobatch.typing.arithmetic import OPERATORS
from operator_lib.autobatch.typing.ops import Library
from operator_lib.autobatch.typing.subscripts import Pattern, rebuilt_index

Array = Any
# An operand with how one lane's value looks: "w" a Python number, "s" of the array's type, "c" a constant.
Given = tuple[Any, str]


def one(given: Given, at: int) -> Any:
    """The operand for the lane at that place."""
    value, kind = given
    if kind == "c":
        return value
    return value[at].item() if kind == "w" else value[at]


def failing(function: Callable[..., Any], count: int, *given: Any) -> dict[int, Exception]:
    """Places of the lanes for which `function` raises, with what."""
    extra = [value for value in given if not isinstance(value, tuple)]
    operands = [value for value in given if isinstance(value, tuple)]
    found: dict[int, Exception] = {}
    with np.errstate(all="ignore"):
        for at in range(count):
            try:
                function(*extra, *(one(value, at) for value in operands))
            except Exception as error:
                found[at] = error
    return found


def call_each(
    function: Callable[..., Any], count: int, kinds: tuple[tuple[tuple[int, ...], Any], ...], *given: Given
) -> tuple[tuple[Array, ...], dict[int, Exception]]:
    """The results of `function` for every lane; zeros for lanes that raise."""
    outs = tuple(np.zeros((count, *shape), dtype) for shape, dtype in kinds)
    failed: dict[int, Exception] = {}
    for at in range(count):
        try:
            result = function(*(one(value, at) for value in given))
            for out, value in zip(outs, flat(result), strict=False):
                if np.shape(value) != out.shape[1:]:
                    raise TypeError(f"a result of shape {np.shape(value)}, where others have {out.shape[1:]}")
                out[at] = value
        except Exception as error:
            failed[at] = error
    return outs, failed


def mapped(
    function: Callable[..., Any], count: int, kind: tuple[tuple[int, ...], Any], *values: Any
) -> tuple[Array, dict[int, Exception]]:
    """A function of Python numbers, for every lane."""
    columns = [v.tolist() if isinstance(v, np.ndarray) and v.ndim else [v] * count for v in values]
    try:
        return np.fromiter(map(function, *columns), kind[1], count), {}
    except Exception:
        (out,), failed = call_each(function, count, (kind,), *((np.asarray(column), "w") for column in columns))
        return out, failed


def marked(failed: dict[int, Exception], count: int) -> Array:
    """True where a lane failed."""
    found = np.zeros(count, bool)
    found[list(failed)] = True
    return found


def flat(result: Any) -> list[Any]:
    """The parts of a result, in order."""
    if isinstance(result, tuple | list):
        return [part for item in result for part in flat(item)]
    return [] if result is None else [result]


def operator_of(symbol: str) -> Callable[..., Any]:
    return OPERATORS[symbol]


def caller(detail: Library) -> Callable[..., Any]:
    """The call, from its operands."""

    def call(*operands: Any) -> Any:
        given, named = detail.build(operands.__getitem__)
        return detail.function(*given, **named)

    return call


def indexer(pattern: Pattern) -> Callable[..., Any]:
    return lambda base, *lanes: base[rebuilt_index(pattern, list(lanes))]


def storer(pattern: Pattern) -> Callable[..., Any]:
    def store(base: Any, value: Any, *lanes: Any) -> None:
        _copied(base)[rebuilt_index(pattern, list(lanes))] = value

    return store


def peeker(pattern: Pattern) -> Callable[..., Any]:
    return lambda heap, row, *lanes: heap[row][rebuilt_index(pattern, list(lanes))]


def poker(pattern: Pattern) -> Callable[..., Any]:
    def poke(heap: Any, row: Any, value: Any, *lanes: Any) -> None:
        _copied(heap[row])[rebuilt_index(pattern, list(lanes))] = value

    return poke


def _copied(array: Any) -> Any:
    return array.copy() if hasattr(array, "copy") else array.clone()


def store_each(pattern: Pattern, target: Array, value: Any, dimensions: int, *lanes: Array) -> dict[int, Exception]:
    """``target[lane][pattern] = value`` for every lane; gives those that raise."""
    failed: dict[int, Exception] = {}
    each_value = getattr(value, "ndim", 0) == dimensions + 1 and len(value) == len(target)
    for at in range(len(target)):
        try:
            target[at][rebuilt_index(pattern, [lane[at] for lane in lanes])] = value[at] if each_value else value
        except Exception as error:
            failed[at] = error
    return failed


def selected_rank(pattern: Pattern, shape: tuple[int, ...]) -> int:
    """Dimensions of what a pattern of numbers and slices selects."""
    zeros = [np.int64(0)] * sum(kind == "lane" for kind, _ in pattern)
    return np.ndim(np.zeros(shape)[rebuilt_index(pattern, zeros)])


def subscript(pattern: Pattern, lanes: list[str], ranks: list[int], names: Any) -> str | None:
    """What stands behind the lanes' index in a subscript for whole batches; None when there is no such thing."""
    arrays = [v for kind, v in pattern if kind == "const" and isinstance(v, np.ndarray | list) and np.ndim(v)]
    if arrays and (lanes or len(arrays) > 1 or np.asarray(arrays[0]).dtype == bool):
        return None
    if any(ranks) and (len(pattern) > 1 or len(lanes) > 1):
        return None
    parts: list[str] = []
    for kind, value in pattern:
        parts.append(lanes[value] if kind == "lane" else _text(value, names))
    return ", ".join(parts)


def _text(value: Any, names: Any) -> str:
    if isinstance(value, slice):
        return ":".join("" if part is None else str(int(part)) for part in (value.start, value.stop, value.step))
    if value is Ellipsis:
        return "..."
    if value is None or isinstance(value, int | np.integer):
        return str(value)
    return names.name(value)
