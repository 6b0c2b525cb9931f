"""Running a program lane by lane in Python: for batches that are too small for anything else."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from operator_lib.autobatch.native.run import driver_text, floor_divided, remainder, shifted_left, shifted_right
from operator_lib.autobatch.native.source import MATH, NotScalar, Writer
from operator_lib.autobatch.typing.values import Lane, leaves

if TYPE_CHECKING:
    from operator_lib.autobatch.compiled import Compiled
    from operator_lib.autobatch.running import Outcome

# Of one lane; Python's own limit is 1000.
DEEPEST = 500


Driver = Callable[[Sequence[Any], int], list[Any]]


def loop_of(compiled: Compiled) -> Driver | None:
    """The program as Python on Python's numbers; None when it is more than scalars of 64 bits."""
    if compiled.loop is None:
        try:
            compiled.loop = _made(compiled)
        except NotScalar:
            compiled.loop = False
    return compiled.loop or None


def run_loop(compiled: Compiled, columns: Sequence[Any], count: int, limit: int | None) -> Outcome | None:
    """Run; None when the program is not for it, a number left 64 bits, or a lane raised: then the machine knows why."""
    from operator_lib.autobatch.running import Outcome

    driver = loop_of(compiled)
    if driver is None:
        return None
    try:
        return Outcome("loop", driver(columns, DEEPEST if limit is None else min(limit, DEEPEST)))
    except Exception:
        return None


def _made(compiled: Compiled) -> Driver:
    main = compiled.main
    ordered = [main, *(typed for typed in compiled.functions if typed is not main)]
    writer = Writer(ordered, python=True)
    if main.result is None or not main.parameters:
        raise NotScalar("there is nothing that differs from example to example")
    text = writer.text() + "\n" + driver_text(writer, main)
    kinds = [lane.type.dtype for lane in leaves(main.result)]
    if isinstance(main.result, Lane) and _same_as_written(compiled, writer, text):
        return _plain(main.code.function, kinds[0])
    return _spelled_out(compiled, writer, text, kinds)


def _same_as_written(compiled: Compiled, writer: Writer, text: str) -> bool:
    """Whether Python's own numbers can do nothing else in the function itself: nothing can leave 64 bits, no calls of
    batched functions are counted, no power is spelled as a product."""
    if "OverflowError" in text or writer.counted or writer.spelled:
        return False
    engine = compiled.engine
    return not any(engine.registered(value) for _, value in engine.names_read.values())


def _plain(function: Callable[..., Any], kind: Any) -> Driver:
    def one(columns: Sequence[Any], room: int) -> list[Any]:
        return [np.array([function(x) for x in columns[0].tolist()], kind)]

    def more(columns: Sequence[Any], room: int) -> list[Any]:
        return [np.array([function(*row) for row in zip(*(c.tolist() for c in columns), strict=True)], kind)]

    return one if function.__code__.co_argcount == 1 else more


def _spelled_out(compiled: Compiled, writer: Writer, text: str, kinds: list[Any]) -> Driver:
    names: dict[str, Any] = {
        "int64": int,
        "float64": float,
        "floor_divided": floor_divided,
        "remainder": remainder,
        "shifted_left": shifted_left,
        "shifted_right": shifted_right,
        "sqrt": math.sqrt,
        "floor": np.floor,
        "ceil": np.ceil,
        "trunc": np.trunc,
        "rint": np.rint,
        "isnan": math.isnan,
        "isfinite": math.isfinite,
        "isinf": math.isinf,
        **{f"math_{name}": getattr(math, name) for name in MATH},
        **writer.constants,
    }
    exec(compile(text, f"<autobatch loop {compiled.main.name}>", "exec"), names)
    driver = names["driver"]

    def run(columns: Sequence[Any], room: int) -> list[Any]:
        count = len(columns[0])
        outs: list[list[Any]] = [[None] * count for _ in kinds]
        driver(count, room, *(column.tolist() for column in columns), *outs)
        return [np.array(out, kind) for out, kind in zip(outs, kinds, strict=True)]

    return run
