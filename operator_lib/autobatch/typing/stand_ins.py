"""One example that stands for all: operations are run on it to see what they give."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from operator_lib.autobatch.instructions import TensorType
from operator_lib.autobatch.typing.joins import type_of_constant

IN_PLACE = frozenset({"sort", "fill", "resize", "put", "itemset", "partition", "setflags"})
# Methods of arrays that are functions of NumPy of the same name.
_METHODS = """
    sum mean prod max min any all argmax argmin std var cumsum cumprod dot reshape ravel transpose clip round argsort
    trace take repeat
"""
METHODS = frozenset(_METHODS.split())


class Unsuitable(Exception):
    """The operation cannot be run on stand-ins; the cause is the reason."""


class StandIns:
    """Stand-ins as NumPy has them: Python numbers where types are weak, else scalars and arrays of the type."""

    def __init__(self) -> None:
        self._seen: dict[Any, Any] = {}

    def make(self, kind: TensorType, number: int = 1) -> Any:
        """A value of that type."""
        if kind.weak:
            return {"b": bool, "i": int, "f": float, "c": complex}[kind.dtype.kind](number)
        return np.full(kind.shape, number, kind.dtype) if kind.shape else kind.dtype.type(number)

    def type_of(self, value: Any) -> TensorType | None:
        """The type of a result; None when it is no number and no array."""
        return type_of_constant(value)

    def fact(self, name: str, value: Any) -> Any:
        """``shape``, ``dtype`` and the like, as the library's own arrays give them."""
        del name
        return value

    def translated(
        self, function: Any, arguments: Sequence[TensorType | None] = (), keywords: Iterable[str] = ()
    ) -> Any:
        """The function that does for examples what `function` does; Unsuitable when there is none."""
        del arguments, keywords
        return function

    def method(self, name: str) -> Any:
        """The function of NumPy that a method of arrays is; None when it is the library's own."""
        return getattr(np, name) if name in METHODS else None

    def in_place(self, name: str) -> bool:
        """Whether a method changes its array."""
        return name in IN_PLACE

    def elementwise_function(self, function: Any) -> bool:
        """Whether a function does the same to every element."""
        return isinstance(function, np.ufunc) and function.nout == 1 and function.signature is None

    def _regular(self, kind: TensorType) -> Any:
        """One in which matrices can be inverted and have a root."""
        made = self.make(kind)
        sides = set(kind.shape[-2:])
        if len(kind.shape) < 2 or len(sides) > 1 or kind.dtype.kind not in "fc":
            return made
        return made + self.identity(kind.shape[-1], kind)

    def identity(self, side: int, kind: TensorType) -> Any:
        """A matrix of the library with ones in its diagonal."""
        return np.eye(side, dtype=kind.dtype)

    def run(self, function: Callable[..., Any], build: Callable[[Callable[[TensorType], Any]], Any]) -> Any:
        """Call `function` on what `build` makes of stand-ins: ones (in the diagonal of square matrices twos, where ones
        fail), zeros, twos; Unsuitable if all fail."""
        reason: Exception | None = None
        ways: list[Callable[[TensorType], Any]] = [lambda kind, n=n: self.make(kind, n) for n in (1, 0, 2)]
        for make in (ways[0], self._regular, *ways[1:]):
            arguments, keywords = build(make)
            try:
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    return function(*arguments, **keywords)
            except Exception as error:
                reason = reason or error
        raise Unsuitable(str(reason)) from reason

    def elementwise(self, key: Any, function: Callable[..., Any], arguments: Sequence[TensorType | Any]) -> Any:
        """The result of an operation on types and constants, remembered when there are only types and numbers."""
        remembered = None
        if all(isinstance(argument, TensorType | int | float) for argument in arguments):
            remembered = (key, *((type(argument), argument) for argument in arguments))
            if remembered in self._seen:
                return self._seen[remembered]

        def build(make: Callable[[TensorType], Any]) -> Any:
            return [make(a) if isinstance(a, TensorType) else a for a in arguments], {}

        result = self.run(function, build)
        if remembered is not None:
            self._seen[remembered] = result
        return result
