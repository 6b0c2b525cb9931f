"""Running a program lane by lane in Python: for batches that are too small for anything else."""

from __future__ import annotations

import math
import sys
import types
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import fromiter, ndarray

from operator_lib.autobatch.native.python import SMALLEST, PythonWriter, wide
from operator_lib.autobatch.native.run import shifted_left, shifted_right
from operator_lib.autobatch.native.source import MATH, NotScalar
from operator_lib.autobatch.rows import rows_of
from operator_lib.autobatch.typing.values import Lane, leaves

if TYPE_CHECKING:
    from operator_lib.autobatch.compiled import Compiled
    from operator_lib.autobatch.running import Outcome

# Limits of depth for which functions are copied; deeper ones are left to the machine.
MOST_COPIES = 2000

Driver = Callable[[Sequence[Any], "int | None"], list[Any]]


def loop_of(compiled: Compiled) -> Driver | None:
    """The program lane by lane: as Python on Python's numbers, or the function itself on rows of arrays; None when
    neither is the same to the bit."""
    if compiled.loop is None:
        try:
            compiled.loop = _made(compiled)
        except NotScalar:
            compiled.loop = _by_rows(compiled)
    return compiled.loop or None


def run_loop(compiled: Compiled, columns: Sequence[Any], count: int, limit: int | None) -> Outcome | None:
    """Run; None when the program is not for it, a number left 64 bits, or a lane raised: then the machine knows why."""
    from operator_lib.autobatch.running import Outcome

    driver = loop_of(compiled)
    if driver is None:
        return None
    try:
        return Outcome("loop", driver(columns, limit))
    except Exception:
        return None


def _by_rows(compiled: Compiled) -> Driver | bool:
    try:
        return rows_of(compiled)
    except NotScalar:
        return False


def _made(compiled: Compiled) -> Driver:
    main = compiled.main
    if main.result is None or not main.parameters:
        raise NotScalar("there is nothing that differs from example to example")
    writer = PythonWriter([main, *(typed for typed in compiled.functions if typed is not main)])
    text = writer.text()
    compiled.keep(writer.tables)
    kinds = [lane.type.dtype for lane in leaves(main.result)]
    engine = compiled.engine
    alone = not any(engine.registered(value) for _, value in engine.names_read.values())
    if writer.as_written and alone and not writer.counted and isinstance(main.result, Lane):
        function = main.code.function
        return Loop(lambda _: function, kinds, writer)
    return Loop(Levels(writer, text).at_most, kinds, writer)


class Loop:
    """A function on Python's numbers, for one example after the other.

    Args:
        function_for: gives it for a limit of depth.
        kinds: types of the columns that it gives.
        writer: what wrote it.
    """

    def __init__(
        self, function_for: Callable[[int | None], Callable[..., Any]], kinds: Sequence[Any], writer: PythonWriter
    ) -> None:
        self._function_for, self._kinds, self._turns = function_for, kinds, writer.turns
        self._one = len(writer.functions[0].parameters) == 1

    def __call__(self, columns: Sequence[Any], limit: int | None) -> list[Any]:
        if len(self._kinds) == 1:
            return [self.column(limit)(columns, len(columns[0]))]
        rows = [*map(self._function_for(limit), *self._lists(columns))]
        return [np.array([row[n] for row in rows], kind) for n, kind in enumerate(self._kinds)]

    def column(self, limit: int | None) -> Callable[[Sequence[Any], int], Any]:
        """What gives the only column, for arrays and their length."""
        function, (kind,) = self._function_for(limit), self._kinds
        if self._turns:
            return lambda columns, count: fromiter(map(function, *self._lists(columns)), kind, count)
        if self._one:  # nothing that is not needed: a single example is worth a microsecond or two
            return lambda columns, count: fromiter(map(function, columns[0].tolist()), kind, count)
        return lambda columns, count: fromiter(map(function, *map(ndarray.tolist, columns)), kind, count)

    def _lists(self, columns: Sequence[Any]) -> list[list[Any]]:
        lists = [column.tolist() for column in columns]
        if self._turns and any(SMALLEST in numbers for numbers in lists):
            raise OverflowError
        return lists


class Levels:
    """The functions of a program, copied for each depth of calls: the frames of a lane are counted without counting.

    A copy calls the copy one level deeper; the last one calls what raises.
    """

    def __init__(self, writer: PythonWriter, text: str) -> None:
        self._counted = writer.counted
        self._names: dict[str, Any] = {
            "shifted_left": shifted_left,
            "shifted_right": shifted_right,
            "wide": wide,
            "sqrt": math.sqrt,
            "floor": np.floor,
            "ceil": np.ceil,
            "trunc": np.trunc,
            "rint": np.rint,
            "isnan": math.isnan,
            "isfinite": math.isfinite,
            "isinf": math.isinf,
            "int64": int,
            "float64": float,
            **{f"math_{name}": getattr(math, name) for name in MATH},
            **writer.constants,
        }
        made: dict[str, Any] = dict(self._names)
        exec(compile(text, f"<autobatch loop {writer.functions[0].name}>", "exec"), made)
        self._codes = {name: made[name].__code__ for name in map(writer.name, writer.functions)}
        self._main = writer.name(writer.functions[0])
        self._known: dict[int | None, Callable[..., Any]] = {}

    def at_most(self, limit: int | None) -> Callable[..., Any]:
        """The program, for lanes of at most so many frames.

        Raises:
            NotScalar: so many copies are not worth it.
        """
        if not self._counted or (limit is not None and limit >= sys.getrecursionlimit()):
            limit = None  # Python itself raises earlier
        if limit not in self._known:
            if limit is not None and limit > MOST_COPIES:
                raise NotScalar(f"max_stack_depth is {limit}")
            self._known[limit] = self._made(limit)
        return self._known[limit]

    def _made(self, limit: int | None) -> Callable[..., Any]:
        if limit is None:
            level = self._level({})
            vars_of = level[self._main].__globals__
            vars_of.update(level)
            return level[self._main]
        level: dict[str, Any] = dict.fromkeys(self._codes, _too_deep)
        for _ in range(limit):
            level = self._level(level)
        return level[self._main]

    def _level(self, deeper: dict[str, Any]) -> dict[str, Any]:
        names = {"__builtins__": __builtins__, **self._names, **deeper}
        # A code object of its own each: Python keeps in it what it learns about the names that it reads.
        level = {name: types.FunctionType(code.replace(), names) for name, code in self._codes.items()}
        names.update({f"{name}_again": function for name, function in level.items()})
        return level


def _too_deep(*_: Any) -> Any:
    raise ValueError("max_stack_depth")
