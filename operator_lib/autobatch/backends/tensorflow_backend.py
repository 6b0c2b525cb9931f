"""Programs on TensorFlow tensors: the machine runs on their values, results are tensors again. No gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf  # type: ignore[reportMissingImports]

from operator_lib.autobatch.backends.choice import Backend
from operator_lib.autobatch.typing.stand_ins import StandIns

if TYPE_CHECKING:
    from operator_lib.autobatch.arguments import Leaf
    from operator_lib.autobatch.compiled import Compiled
    from operator_lib.autobatch.running import Outcome, Plan

# Functions of TensorFlow that have another name in NumPy.
RENAMED = {
    "reduce_sum": "sum",
    "reduce_mean": "mean",
    "reduce_max": "max",
    "reduce_min": "min",
    "reduce_prod": "prod",
    "reduce_all": "all",
    "reduce_any": "any",
    "abs": "absolute",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "atan2": "arctan2",
    "concat": "concatenate",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "floormod": "mod",
    "where_v2": "where",
    "pow": "power",
}


class TensorFlowStandIns(StandIns):
    """Functions of TensorFlow mean NumPy's of the same name; others are called for one example after the other."""

    def translated(self, function: Any) -> Any:
        if (getattr(function, "__module__", None) or "").partition(".")[0] != "tensorflow":
            return function
        name = str(function.__name__)
        return getattr(np, RENAMED.get(name, name), function)


class TensorFlowBackend(Backend):
    """TensorFlow (``pip install tensorflow``), eagerly: tensors in, tensors out."""

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
