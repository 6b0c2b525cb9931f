"""``strict=True``: numbers that leave their type, and division by zero, raise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from operator_lib.autobatch.instructions import TensorType
from operator_lib.autobatch.typing.tracer import Tracer
from operator_lib.autobatch.typing.values import BOOL, Const, Lane

WORDS = {"+": "addition", "-": "subtraction", "*": "multiplication", "**": "power", "<<": "shift"}


def checked(t: Tracer, symbol: str, one: Const | Lane, two: Const | Lane, result: TensorType) -> None:
    """Checks before an operation: for the lanes that would leave the type of the result, or divide by zero."""
    if result.shape or any(isinstance(value, Lane) and value.type.shape for value in (one, two)):
        return
    if symbol in ("/", "//", "%"):
        if isinstance(two, Lane):
            t.check(t.emit("elementwise", (two, Const(0)), BOOL, "=="), ZeroDivisionError, "division by zero")
        return
    if result.dtype.kind not in "iu" or symbol not in WORDS:
        return
    bad = t.emit("elementwise", (one, two), BOOL, leaves_type(symbol, result.dtype))
    t.check(bad, OverflowError, f"the result of this {WORDS[symbol]} does not fit {result.dtype.name}")


_MADE: dict[tuple[str, Any], Callable[..., Any]] = {}


def leaves_type(symbol: str, dtype: np.dtype[Any]) -> Callable[..., Any]:
    """For whole batches: where the exact result does not fit the type. Floats tell what is far from the limits;
    what is close is computed with Python's integers."""
    key = (symbol, dtype)
    if key not in _MADE:
        _MADE[key] = _leaves_type(symbol, np.iinfo(dtype))
    return _MADE[key]


def _leaves_type(symbol: str, limits: Any) -> Callable[..., Any]:
    from operator_lib.autobatch.typing.arithmetic import OPERATORS

    exact = OPERATORS[symbol]
    low, high = int(limits.min), int(limits.max)
    margin = float(high) * 1e-9

    def found(a: Any, b: Any) -> Any:
        one, two = np.broadcast_arrays(np.asarray(a), np.asarray(b))
        if symbol == "<<":
            rough = one.astype(float) * 2.0 ** np.clip(two, -1, 1100).astype(float)
        else:
            rough = exact(one.astype(float), two.astype(float))
        bad = np.asarray((rough > high + margin) | (rough < low - margin))
        close = ~bad & ((rough > high - margin) | (rough < low + margin))
        for place in np.argwhere(close):
            at = tuple(place)
            bad[at] = not low <= exact(int(one[at]), int(two[at])) <= high
        return bad

    found.__name__ = "leaves_type"
    return found
