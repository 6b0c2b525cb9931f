"""Operators in batches."""

from __future__ import annotations

import types
from typing import Any

from operator_lib import tree
from operator_lib.autobatch.batched import BatchedFunction
from operator_lib.autobatch.context import Context
from operator_lib.autobatch.errors import CompileError
from operator_lib.core import Operator


class BatchedForward:
    """Calls an operator's `forward` on every example of a batch; the operator and its children stay as they are."""

    def __init__(self, operator: Operator, batched: BatchedFunction, *, bound: bool = True) -> None:
        self.operator, self.batched = operator, batched
        self._first = (operator,) if bound else ()

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self.batched(*self._first, *args, **keywords)

    @property
    def last_stats(self) -> Any:
        return self.batched.last_stats

    def explain(self, *args: Any, **keywords: Any) -> str:
        """The program for arguments like these, as text."""
        return self.batched.explain(*self._first, *args, **keywords)

    def __repr__(self) -> str:
        return f"<batched forward of {type(self.operator).__name__}>"


def compile_forward(operator: Operator, *, context: Context | None = None) -> BatchedForward:
    """An operator's single-example `forward`, for whole batches: every argument has one more axis in front.

    Attributes are read when it is called: replacing one takes effect. `CompileError` (a ValueError) says what of the
    code of `forward`, or of the forwards it calls, cannot be batched.
    """
    function, bound = single_function(operator)
    return BatchedForward(operator, (context or Context()).batch_uncurried(function), bound=bound)


def single_function(operator: Any) -> tuple[types.FunctionType, bool]:
    """The function that a call of the operator runs, and whether the operator is its first argument.

    Raises:
        CompileError: it is not written in Python.
    """
    wrapped = tree.state(operator).get("__wrapped__")
    found = wrapped
    if wrapped is None:
        own = type(operator).__call__
        found = type(operator).forward if own.__module__.startswith("operator_lib.") else own
    if not isinstance(found, types.FunctionType):
        raise CompileError(f"forward of {tree.name_of(operator)} has no source", hint="Define it with def.")
    return found, wrapped is None
