"""Calls with arrays of numbers, straight to what runs lane by lane: the way in costs no more than a plain loop does."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
from numpy import empty, ndarray

from operator_lib.autobatch.arguments import Leaf, results
from operator_lib.autobatch.compiled import MISSING, Compiled
from operator_lib.autobatch.looping import Loop, loop_of
from operator_lib.autobatch.native.source import DEEPEST
from operator_lib.autobatch.typing.values import Lane, Tup, Value, leaves

Columns = tuple[Any, ...]
Took = tuple[str, str, int, float]
"""Strategy, backend, lanes, seconds."""

# Machine code costs a microsecond more to enter than Python: with so many lanes it is looked which is faster.
FEW = 7
ROUNDS = 8
# Seconds from which on an entry does not show.
LONG = 1e-4


class Quick:
    """What was found to run a function lane by lane, for types of arguments and sizes of batch."""

    __slots__ = ("_known", "_latest", "took")

    def __init__(self) -> None:
        self._known: dict[Any, Kept] = {}
        self._latest: Kept | None = None
        self.took: Took | None = None
        """The last call that was made this way."""

    def run(self, columns: Columns) -> Any:
        """The result; None when nothing is kept for such arguments, or a lane has to be run by the machine."""
        kept = self._latest
        if kept is None:
            return None
        try:
            (count,) = shape = columns[0].shape
        except (AttributeError, IndexError, TypeError, ValueError):
            return None
        fits = count.bit_length() == kept.bits and len(columns) == kept.arity
        for place, dtype in kept.places if fits else ():
            column = columns[place]
            if type(column) is not ndarray or column.dtype is not dtype or column.shape != shape:
                fits = False
        if not fits:
            kept = self._other(columns, shape)
            if kept is None:
                return None
        for get, name, value in kept.watched:
            if get(name, MISSING) is not value and not kept.holds():
                return None
        if kept.slowly and not kept.holds():
            return None
        started = perf_counter()
        try:
            found = kept.run(columns, count)
        except Exception:
            return None  # the machine says which lane raised, and what
        self.took = kept.strategy, "numpy", count, perf_counter() - started
        return found

    def _other(self, columns: Columns, shape: tuple[int, ...]) -> Kept | None:
        if any(type(column) is not ndarray or column.shape != shape for column in columns):
            return None
        kept = self._known.get((shape[0].bit_length(), *(column.dtype for column in columns)))
        if kept is not None:
            self._latest = kept
        return kept

    def keep(
        self, compiled: Compiled, given: list[Leaf], count: int, strategy: str, limit: int | None, *, free: bool
    ) -> None:
        """Go this way from now on, if results are made of one array of numbers a column; `free`: or as fast a way."""
        result = compiled.main.result
        columns = tuple(leaf.array for leaf in given if isinstance(leaf.array, np.ndarray) and not leaf.type.weak)
        if not given or len(columns) < len(given) or result is None or not _only_numbers(result):
            return
        dtypes = [column.dtype for column in columns]
        made = Kept(compiled, dtypes, count.bit_length(), strategy, limit)
        if free and strategy == "native" and count <= FEW and loop_of(compiled) is not None:
            other = Kept(compiled, dtypes, count.bit_length(), "loop", limit)
            made = min(made, other, key=lambda kept: kept.seconds(columns, count))
        self._known[(made.bits, *dtypes)] = made
        self._latest = made


class Kept:
    """One way to run a program."""

    __slots__ = ("arity", "bits", "holds", "places", "run", "slowly", "strategy", "watched")

    def __init__(self, compiled: Compiled, dtypes: list[Any], bits: int, strategy: str, limit: int | None) -> None:
        self.places, self.arity = tuple(enumerate(dtypes)), len(dtypes)
        self.bits, self.strategy = bits, strategy
        self.holds, self.watched, self.slowly = compiled.holds, tuple(compiled.watched), compiled.slowly
        made = _native if strategy == "native" else _loop
        self.run: Callable[[Columns, int], Any] = made(compiled, limit)

    def seconds(self, columns: Columns, count: int) -> float:
        """What a run takes."""
        best = math.inf
        for _ in range(ROUNDS):
            started = perf_counter()
            try:
                self.run(columns, count)
            except Exception:
                return math.inf
            best = min(best, perf_counter() - started)
            if best > LONG:
                break
        return best


def _loop(compiled: Compiled, limit: int | None) -> Callable[[Columns, int], Any]:
    driver, result = compiled.loop, compiled.main.result
    assert result is not None
    if isinstance(driver, Loop) and isinstance(result, Lane):
        return driver.column(limit)
    return lambda columns, count: _whole(result, driver(columns, limit), count)


def _native(compiled: Compiled, limit: int | None) -> Callable[[Columns, int], Any]:
    driver, result = compiled.native, compiled.main.result
    assert result is not None
    room = DEEPEST if limit is None else min(limit, DEEPEST)
    kinds = [lane.type.dtype for lane in leaves(result)]

    def one(columns: Columns, count: int) -> Any:
        for column in columns:
            if not column.flags.carray:
                columns = tuple(map(np.array, columns))
                break
        out = empty(count, kinds[0])
        driver(count, room, *columns, out)
        return out

    def several(columns: Columns, count: int) -> Any:
        outs = [empty(count, kind) for kind in kinds]
        driver(count, room, *[column if column.flags.carray else np.array(column) for column in columns], *outs)
        return _whole(result, outs, count)

    return one if isinstance(result, Lane) else several


def _whole(result: Value, columns: list[Any], count: int) -> Any:
    return results(result, iter(columns), lambda value: np.full(count, value))


def _only_numbers(value: Value) -> bool:
    if isinstance(value, Tup):
        return bool(value.items) and all(map(_only_numbers, value.items))
    return isinstance(value, Lane) and not value.type.shape
