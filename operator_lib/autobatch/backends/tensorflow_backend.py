"""Programs on TensorFlow tensors: the machine runs on their values, results are tensors again. No gradients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf  # type: ignore[reportMissingImports]

from operator_lib.autobatch.backends.choice import Backend
from operator_lib.autobatch.instructions import TensorType
from operator_lib.autobatch.typing.stand_ins import StandIns

if TYPE_CHECKING:
    from operator_lib.autobatch.arguments import Leaf
    from operator_lib.autobatch.compiled import Compiled
    from operator_lib.autobatch.running import Outcome, Plan

# Functions of TensorFlow that do what NumPy's do, with all numbers: what those are called, where it is something else.
SAME = {
    **{name: name for name in ("sign", "square", "add", "subtract", "multiply", "negative", "maximum", "minimum")},
    **{name: name for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "reshape")},
    **{name: name for name in ("logical_and", "logical_or", "logical_not", "logical_xor", "expand_dims", "squeeze")},
    **{name: name for name in ("stack", "transpose", "tile")},
    "abs": "absolute",
    "concat": "concatenate",
    "floordiv": "floor_divide",
    "floormod": "mod",
    "reduce_all": "all",
    "reduce_any": "any",
    "reduce_max": "max",
    "reduce_min": "min",
    "where_v2": "where",
}
# Those that do so with floats; whole numbers keep their type there, or are refused.
FLOATS = {
    **{name: name for name in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: name for name in ("floor", "ceil", "round", "divide")},
    "acos": "arccos",
    "acosh": "arccosh",
    "asin": "arcsin",
    "asinh": "arcsinh",
    "atan": "arctan",
    "atan2": "arctan2",
    "atanh": "arctanh",
    "pow": "power",
    "reduce_mean": "mean",
    "truediv": "true_divide",
    "reduce_prod": "prod",
    "reduce_sum": "sum",
}


class TensorFlowStandIns(StandIns):
    """Functions of TensorFlow that mean NumPy's are NumPy's; others are called for one example after the other."""

    def translated(
        self, function: Any, arguments: Sequence[TensorType | None] = (), keywords: Iterable[str] = ()
    ) -> Any:
        if (getattr(function, "__module__", None) or "").partition(".")[0] != "tensorflow":
            return function
        name = str(function.__name__)
        if not set(keywords) <= {"axis", "keepdims"} or (name.startswith("reduce_") and len(arguments) > 2):
            return function
        floats = all(
            kind is None or kind.dtype.kind == "f" for kind in arguments[: 1 if name.startswith("reduce_") else None]
        )
        found = SAME.get(name) or (FLOATS.get(name) if floats else None)
        return getattr(np, found) if found else function


class TensorFlowBackend(Backend):
    """TensorFlow (``pip install 'operator_lib[autobatch-tensorflow]'``), eagerly: tensors in, tensors out."""

    name = "tensorflow"
    strategies = ("program_counter", "stackless", "loop")

    def stand_ins(self) -> StandIns:
        return TensorFlowStandIns()

    def run(self, compiled: Compiled, leaves: Sequence[Leaf], count: int, plan: Plan, strategy: str) -> Outcome:
        """Run on the values of the tensors."""
        from operator_lib.autobatch.running import column, run_as

        columns = [column(np.asarray(leaf.array), count) for leaf in leaves]
        chosen = "program_counter" if strategy in ("auto", "native") else strategy
        outcome = run_as(chosen, compiled, columns, count, plan)
        outcome.columns = [tf.convert_to_tensor(found) for found in outcome.columns]
        outcome.full = lambda value, size: tf.convert_to_tensor(np.full((size, *np.shape(value)), value))
        return outcome
