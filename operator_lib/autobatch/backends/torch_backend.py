"""Programs on PyTorch tensors, on the device where they are, with gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from operator_lib.autobatch.backends.choice import Backend
from operator_lib.autobatch.backends.torch_dialect import TorchDialect
from operator_lib.autobatch.backends.torch_functions import torch_dtype, translated
from operator_lib.autobatch.instructions import TensorType
from operator_lib.autobatch.typing.stand_ins import StandIns, Unsuitable

if TYPE_CHECKING:
    from operator_lib.autobatch.arguments import Leaf
    from operator_lib.autobatch.compiled import Compiled
    from operator_lib.autobatch.running import Outcome, Plan


class TorchStandIns(StandIns):
    """Types as PyTorch gives them to operations on single examples."""

    def make(self, kind: TensorType, number: int = 1) -> Any:
        if kind.weak:
            return super().make(kind, number)
        return torch.full(kind.shape, number, dtype=torch_dtype(kind.dtype))

    def fact(self, name: str, value: Any) -> Any:
        return torch_dtype(value) if name == "dtype" else torch.Size(value) if name == "shape" else value

    def translated(self, function: Any, arguments: Any = (), keywords: Any = ()) -> Any:
        del arguments, keywords
        found = translated(function)
        if found is None:
            raise Unsuitable("PyTorch has no function that means the same; call one of PyTorch's")
        return found

    def identity(self, side: int, kind: TensorType) -> Any:
        return torch.eye(side, dtype=torch_dtype(kind.dtype))

    def method(self, name: str) -> Any:
        return None

    def in_place(self, name: str) -> bool:
        return name.endswith("_")

    def elementwise_function(self, function: Any) -> bool:
        return getattr(function, "__name__", "") in _ELEMENTWISE and getattr(torch, function.__name__, None) is function


_UNARY = ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "expm1", "log", "log1p", "log2")
_MORE = ("log10", "sqrt", "rsqrt", "abs", "floor", "ceil", "round", "trunc", "sigmoid", "relu", "erf", "sign", "isnan")
_REST = ("isinf", "isfinite", "square", "reciprocal", "maximum", "minimum", "pow", "atan2", "logaddexp", "hypot")
_ELEMENTWISE = frozenset((*_UNARY, *_MORE, *_REST))


class TorchBackend(Backend):
    """PyTorch (``pip install 'operator_lib[autobatch-torch]'``).

    Args:
        device: where arguments are brought; None leaves tensors where they are.
    """

    name = "torch"
    strategies = ("program_counter", "stackless")

    def __init__(self, device: Any = None) -> None:
        self.place = None if device is None else torch.device(device)

    def stand_ins(self) -> StandIns:
        return TorchStandIns()

    def run(self, compiled: Compiled, leaves: Sequence[Leaf], count: int, plan: Plan, strategy: str) -> Outcome:
        """Run on tensors; arrays of NumPy become tensors first."""
        from operator_lib.autobatch.compiled import block_stats
        from operator_lib.autobatch.running import Outcome

        device = self.place or next((x.array.device for x in leaves if isinstance(x.array, torch.Tensor)), None)
        columns = [self._column(leaf.array, count, device) for leaf in leaves]
        stackless = strategy == "stackless"
        machine = compiled.machine(stackless=stackless, drain=False, dialect=TorchDialect())
        ran = machine.run(
            columns,
            count,
            limit=None if stackless else plan.limit,
            lanes=plan.lanes,
            most_first=plan.most_first,
        )
        width = count if plan.lanes is None else min(plan.lanes, count)
        mode = "stackless" if stackless else "program_counter"

        def full(value: Any, size: int) -> Any:
            return torch.as_tensor(np.full((size, *np.shape(value)), value), device=device)

        return Outcome(
            mode, ran.out, ran.failed, block_stats(machine, ran, width), ran.peak_frames, ran.peak_live, full=full
        )

    def _column(self, array: Any, count: int, device: Any) -> Any:
        tensor = torch.as_tensor(array, device=device)
        return tensor if len(tensor) == count else tensor.repeat_interleave(count, 0)
