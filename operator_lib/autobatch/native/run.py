"""Running a program lane by lane as machine code."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from operator_lib.autobatch.native.source import DEEPEST, MATH, NotScalar, Writer
from operator_lib.autobatch.typing.values import leaves

if TYPE_CHECKING:
    from operator_lib.autobatch.compiled import Compiled
    from operator_lib.autobatch.running import Outcome


# Lanes of the first call that are run on the machine, too.
CHECKED = 64


def native_of(compiled: Compiled) -> Callable[..., Any] | None:
    """The compiled program; None when Numba is missing or the program is more than scalars."""
    if compiled.native is None:
        compiled.native = _made(compiled)[0] or False
    return compiled.native or None


def why_not(compiled: Compiled) -> str:
    """What keeps a program from being native; "" when nothing does."""
    return _made(compiled)[1]


def run_native(compiled: Compiled, columns: Sequence[Any], count: int, limit: int | None) -> Outcome | None:
    """Run; None when the program is not for machine code, or a lane raised (the machine will say which, and why)."""
    from operator_lib.autobatch.running import Outcome

    driver = native_of(compiled)
    if driver is None:
        return None
    assert compiled.main.result is not None
    columns = [column if column.flags.carray else np.array(column) for column in columns]
    outs = [np.zeros(count, lane.type.dtype) for lane in leaves(compiled.main.result)]
    try:
        driver(count, DEEPEST if limit is None else min(limit, DEEPEST), *columns, *outs)
    except Exception:
        return None
    if not compiled.native_agrees and not _agrees(compiled, columns, outs):
        compiled.native = False
        return None
    compiled.native_agrees = True
    return Outcome("native", outs)


def _agrees(compiled: Compiled, columns: Sequence[Any], outs: Sequence[Any]) -> bool:
    """Whether the first lanes that machine code ran are, to the bit, what the machine gives: another compiler's
    mistakes must not become answers."""
    from operator_lib.autobatch.compiled import run_machine

    count = min(len(outs[0]) if outs else 0, CHECKED)
    some = [column[:count] for column in columns]
    ran, _ = run_machine(compiled, some, count, stackless=False, limit=None, lanes=None, most_first=False)
    pairs = zip(ran.out, outs, strict=True)
    return not ran.failed and all(one.tobytes() == two[:count].tobytes() for one, two in pairs)


def _made(compiled: Compiled) -> tuple[Callable[..., Any] | None, str]:
    if importlib.util.find_spec("numba") is None:
        return None, "Numba is not installed (pip install 'operator_lib[autobatch-native]')"
    main = compiled.main
    ordered = [main, *(typed for typed in compiled.functions if typed is not main)]
    writer = Writer(ordered)
    try:
        if main.result is None or not main.parameters:
            raise NotScalar("there is nothing that differs from example to example")
        text = writer.text() + "\n" + driver_text(writer, ordered[0])
    except NotScalar as error:
        return None, str(error)
    kinds = [*(lane.type.dtype for lane in main.parameters), *(lane.type.dtype for lane in leaves(main.result))]
    compiled.keep(writer.tables)
    return _jitted(text, writer, kinds), ""


def driver_text(writer: Writer, main: Any) -> str:
    """A function that runs the program for one lane after the other."""
    inputs = [f"a{number}" for number in range(len(main.parameters))]
    outs = [f"o{number}" for number in range(len(list(leaves(main.result))))]
    given = [f"{name}[i]" for name in inputs] + ([["room"], ["room", "1"]][writer.tails] if writer.counted else [])
    found = ", ".join(f"{name}[i]" for name in outs)
    call = f"{writer.name(main)}({', '.join(given)})"
    lines = [f"def driver(count, room, {', '.join([*inputs, *outs])}):", "    for i in range(count):"]
    lines.append(f"        {found} = {call}" if found else f"        {call}")
    return "\n".join(lines)


def _jitted(text: str, writer: Writer, kinds: list[Any]) -> Callable[..., Any]:
    import numba  # type: ignore[reportMissingImports]

    from operator_lib.autobatch.native.marks import Mark

    mark = Mark()
    jit: Any = numba.njit(error_model="numpy", nogil=True)
    names: dict[str, Any] = {
        "int64": np.int64,
        "int32": np.int32,
        "float64": np.float64,
        "float32": np.float32,
        "floor_divided": jit(floor_divided),
        "remainder": jit(remainder),
        "shifted_left": jit(shifted_left),
        "shifted_right": jit(shifted_right),
        **{
            name: getattr(np, name) for name in ("sqrt", "floor", "ceil", "trunc", "rint", "isnan", "isfinite", "isinf")
        },
        **{f"math_{name}": getattr(math, name) for name in MATH},
        **writer.constants,
        "too_deep": mark.made,
    }
    exec(compile(text, "<autobatch native>", "exec"), names)
    for number in range(len(writer.functions)):
        names[f"f{number}"] = jit(names[f"f{number}"])
    arrays = [numba.from_dtype(kind)[::1] for kind in kinds]
    driver: Any = numba.njit((numba.int64, numba.int64, *arrays), error_model="numpy", nogil=True)
    compiled: Callable[..., Any] = driver(names["driver"])
    if not writer.counted:
        return compiled

    def counted(*given: Any) -> None:
        before = mark.count()
        compiled(*given)
        if mark.count() != before:  # here, or in another thread: the machine will know
            raise ValueError("max_stack_depth")

    return counted


# As NumPy has them: no trap for the smallest number, 0 for division by zero.
def floor_divided(a: int, b: int) -> int:
    if b == 0:
        return a * 0
    if b == -1:
        return -a
    return a // b


def remainder(a: int, b: int) -> int:
    if b == 0 or b == -1:
        return a * 0
    return a % b


def shifted_left(a: int, b: int) -> int:
    if b < 0 or b > 63:
        return a * 0
    return a << b


def shifted_right(a: int, b: int) -> int:
    if b < 0 or b > 63:
        return a * 0 - (1 if a < 0 else 0)
    return a >> b
