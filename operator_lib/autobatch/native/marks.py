"""Noticing in machine code what must not happen, without an exception: functions that may raise are slower to call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class Mark:
    """A count in memory of its own that machine code adds to."""

    def __init__(self) -> None:
        self._count = np.zeros(1, np.int64)
        self.made = _adding_to(self._count.ctypes.data)
        """A function for machine code: adds one."""

    def count(self) -> int:
        return int(self._count[0])


def _adding_to(address: int) -> Callable[[], Any]:
    import numba  # type: ignore[reportMissingImports]
    from llvmlite import ir  # type: ignore[reportMissingImports]
    from numba.extending import intrinsic  # type: ignore[reportMissingImports]

    def add(context: Any) -> Any:
        del context

        def write(_: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            del signature, arguments
            number = ir.IntType(64)
            place = builder.inttoptr(ir.Constant(number, address), number.as_pointer())
            return builder.atomic_rmw("add", place, ir.Constant(number, 1), "monotonic")

        return numba.types.int64(), write

    marking: Any = intrinsic(add)
    return numba.njit(lambda: marking())
