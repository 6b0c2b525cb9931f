"""PyTorch in generated code: values are tensors, which lane is where stays in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from operator_lib.autobatch.backends.torch_functions import RENAMED, torch_dtype, translated
from operator_lib.autobatch.machine import lanewise
from operator_lib.autobatch.machine.dialect import NumpyDialect
from operator_lib.autobatch.typing.ops import Op
from operator_lib.autobatch.typing.values import Lane


def _call_each(
    function: Callable[..., Any], count: int, kinds: tuple[tuple[tuple[int, ...], Any], ...], *given: lanewise.Given
) -> tuple[tuple[torch.Tensor, ...], dict[int, Exception]]:
    """`lanewise.call_each` for tensors: gradients go through what the function does with them."""
    device = next((value.device for value, _ in given if isinstance(value, torch.Tensor)), None)
    empty = [torch.zeros(shape, dtype=torch_dtype(dtype), device=device) for shape, dtype in kinds]
    rows: list[list[torch.Tensor]] = []
    failed: dict[int, Exception] = {}
    for at in range(count):
        row = empty
        try:
            result = lanewise.flat(function(*(lanewise.one(value, at) for value in given)))
            row = [torch.as_tensor(part).to(zero) for part, zero in zip(result, empty, strict=True)]
            for part, zero in zip(row, empty, strict=True):
                if part.shape != zero.shape:
                    raise TypeError(f"a result of shape {tuple(part.shape)}, where others have {tuple(zero.shape)}")
        except Exception as error:
            failed[at], row = error, empty
        rows.append(row)
    if not rows:
        return tuple(zero[None][:0] for zero in empty), failed
    return tuple(torch.stack(column) for column in zip(*rows, strict=True)), failed


def _mapped(
    function: Callable[..., Any], count: int, kind: tuple[tuple[int, ...], Any], *values: Any
) -> tuple[torch.Tensor, dict[int, Exception]]:
    """`lanewise.mapped` for tensors."""
    given = [value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value for value in values]
    out, failed = lanewise.mapped(function, count, kind, *given)
    device = next((value.device for value in values if isinstance(value, torch.Tensor)), None)
    return torch.as_tensor(out, device=device), failed


class TorchDialect(NumpyDialect):
    """Tensors on any device; branches run only the lanes that take them, so that gradients stay clean."""

    name = "torch"
    selects = False
    copies_before_store = True
    call_each = staticmethod(_call_each)
    mapped = staticmethod(_mapped)

    def names(self) -> dict[str, Any]:
        return {
            **super().names(),
            "full": _full,
            "where": _where,
            "arange": torch.arange,
            "zeros": lambda count, kind: torch.zeros(count, dtype=torch.int64),
            "host": _host,
            "take": _take,
            "copy": _copy,
        }

    def take(self, value: str, places: str) -> str:
        return f"take({value}, {places})"

    def host(self, condition: str) -> str:
        return f"host({condition})"

    def cast(self, value: str, dtype: str) -> str:
        return f"{value}.to({dtype})"

    def copy(self, value: str) -> str:
        return f"copy({value})"

    def full(self, shape: str, value: str, dtype: str) -> str:
        return f"full({shape}, {value}, {dtype}, S.device)"

    def dtype(self, dtype: np.dtype[Any]) -> Any:
        return torch_dtype(dtype)

    def constant(self, value: Any) -> Any:
        if isinstance(value, np.generic):
            return value.item()
        return torch.as_tensor(value) if isinstance(value, np.ndarray) else value

    def empty(self, shape: tuple[int, ...], dtype: np.dtype[Any], device: Any) -> Any:
        return torch.empty(shape, dtype=torch_dtype(dtype), device=device)

    def zeros(self, shape: tuple[int, ...], dtype: np.dtype[Any], device: Any) -> Any:
        return torch.zeros(shape, dtype=torch_dtype(dtype), device=device)

    def joined(self, columns: Sequence[Any]) -> Any:
        return np.concatenate(columns) if isinstance(columns[0], np.ndarray) else torch.cat(list(columns))

    def device(self, columns: Sequence[Any]) -> Any:
        return next((column.device for column in columns if isinstance(column, torch.Tensor)), None)

    def math(self, function: Any) -> Any:
        name = str(function.__name__)
        found: Any = getattr(torch, RENAMED.get(name, name), None)
        if found is None:
            return None
        return lambda *values: found(*(torch.as_tensor(value) for value in values))

    def function(self, function: Any) -> Any:
        return translated(function) or function

    def batched(self, op: Op) -> Callable[..., Any] | None:
        """The call under `torch.func.vmap`: every example by itself."""
        if not op.args:
            return None
        call = lanewise.caller(op.detail)
        axes = tuple(0 if isinstance(arg, Lane) else None for arg in op.args)
        mapped = torch.func.vmap(call, in_dims=axes)

        def run(count: int, *given: Any) -> Any:
            return mapped(*(value for value, _ in given))

        samples = [
            (torch.ones((2, *arg.type.shape), dtype=torch_dtype(arg.type.dtype)), "s")
            for arg in op.args
            if isinstance(arg, Lane)
        ]
        try:
            run(2, *samples)
        except Exception:
            return None
        return run


def _full(shape: Any, value: Any, dtype: torch.dtype, device: Any) -> torch.Tensor:
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if isinstance(value, torch.Tensor):
        return value.to(device=device, dtype=dtype).expand(sizes).clone()
    return torch.full(sizes, value, dtype=dtype, device=device)


def _where(condition: torch.Tensor, one: Any, two: Any) -> Any:
    if isinstance(one, np.ndarray):  # places in a heap
        return np.where(_host(condition), one, two)
    return torch.where(condition, one, two)


def _host(condition: Any) -> np.ndarray[Any, Any]:
    return condition if isinstance(condition, np.ndarray) else condition.detach().cpu().numpy()


def _take(value: Any, places: np.ndarray[Any, Any]) -> Any:
    if isinstance(value, np.ndarray):
        return value.take(places, 0)
    return value.index_select(0, torch.from_numpy(places).to(value.device))


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value.clone()
