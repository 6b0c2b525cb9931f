"""What generated code and machine need of an array library. Which lane is where is always kept in NumPy arrays; values
are arrays of the library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from operator_lib.autobatch.machine import lanewise
from operator_lib.autobatch.typing.ops import Op

Array = Any

# Lanes of what is small: at some thousands, what is fastest for each of many is faster.
SMALL = 512


class NumpyDialect:
    """NumPy, as short as it goes.

    Args:
        small: for few lanes: what has the least overhead, not what is fastest for each of many.
    """

    name = "numpy"

    def __init__(self, *, small: bool = False) -> None:
        self.small = small

    selects = True
    """Whether both sides of a small branch may be computed for all lanes."""
    copies_before_store = False
    call_each = staticmethod(lanewise.call_each)
    mapped = staticmethod(lanewise.mapped)

    def names(self) -> dict[str, Any]:
        """What the texts below refer to."""
        return {
            "full": np.full,
            "where": np.where,
            "count_nonzero": np.count_nonzero,
            "arange": np.arange,
            "zeros": np.zeros,
            "full_mask": np.full,
        }

    def take(self, value: str, places: str) -> str:
        return f"{value}[{places}]" if self.small else f"{value}.take({places}, 0)"

    def host(self, condition: str) -> str:
        """A condition as a NumPy array."""
        return condition

    def cast(self, value: str, dtype: str) -> str:
        return f"{value}.astype({dtype})"

    def copy(self, value: str) -> str:
        return f"{value}.copy()"

    def full(self, shape: str, value: str, dtype: str) -> str:
        return f"full({shape}, {value}, {dtype})"

    def dtype(self, dtype: np.dtype[Any]) -> Any:
        return dtype

    def constant(self, value: Any) -> Any:
        """A constant as operations of the library take it."""
        return value

    def empty(self, shape: tuple[int, ...], dtype: np.dtype[Any], device: Any) -> Array:
        del device
        return np.empty(shape, dtype)

    def zeros(self, shape: tuple[int, ...], dtype: np.dtype[Any], device: Any) -> Array:
        del device
        return np.zeros(shape, dtype)

    def joined(self, columns: Sequence[Array]) -> Array:
        """Columns of several packets, one after the other."""
        return np.concatenate(columns)

    def device(self, columns: Sequence[Array]) -> Any:
        """Where the arguments are."""
        del columns

    def batched(self, op: Op) -> Callable[..., Any] | None:
        """A library's function for whole batches, given the number of lanes and the marked operands."""
        from operator_lib.autobatch.backends.numpy_rules import batched

        return batched(op)

    def math(self, function: Any) -> Any:
        """The library's own for a function of `math`; None: it is called for one lane after the other."""
        del function

    def function(self, function: Any) -> Any:
        """What stands for a function of NumPy."""
        return function


def longer(array: Array, fresh: Array) -> Array:
    """`fresh`, begun with what `array` holds."""
    fresh[: len(array)] = array
    return fresh
