"""PyTorch's functions for those of NumPy: where both mean the same, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

# Functions of NumPy that are called the same in PyTorch, and do the same.
_SAME = """
    abs add arange argwhere atleast_1d atleast_2d atleast_3d bitwise_and bitwise_left_shift bitwise_not bitwise_or
    bitwise_right_shift bitwise_xor broadcast_to ceil copysign cos cosh count_nonzero cross deg2rad diag diagonal diff
    divide dot dstack einsum equal exp exp2 expm1 floor floor_divide fmax fmin fmod full_like gcd greater greater_equal
    heaviside hstack hypot imag inner isclose isfinite isinf isnan kron lcm ldexp less less_equal log log10 log1p log2
    logaddexp logaddexp2 logical_and logical_not logical_or logical_xor matmul maximum minimum moveaxis multiply
    nan_to_num nanmean nansum negative nextafter not_equal ones_like outer positive quantile rad2deg ravel real reshape
    roll round searchsorted sign signbit sin sinc sinh sqrt square squeeze stack subtract swapaxes tan tanh tensordot
    trace tril triu true_divide trunc vdot vstack zeros_like
"""
SAME = frozenset(_SAME.split())
# Those that have another name.
RENAMED = {
    "absolute": "abs",
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "clip": "clamp",
    "concatenate": "cat",
    "conjugate": "conj",
    "degrees": "rad2deg",
    "fabs": "abs",
    "fix": "trunc",
    "invert": "bitwise_not",
    "mod": "remainder",
    "power": "pow",
    "radians": "deg2rad",
    "remainder": "remainder",
    "rint": "round",
}
LINEAR = frozenset(
    {"cholesky", "cond", "det", "eigh", "eigvalsh", "inv", "matrix_power", "matrix_rank", "norm", "pinv", "qr"}
    | {"slogdet", "solve", "svd", "vector_norm", "matrix_norm"}
)


def translated(function: Any) -> Any:
    """PyTorch's function of the same meaning; other libraries' functions as they are, None where there is none."""
    module = getattr(function, "__module__", None) or ""
    if not isinstance(function, np.ufunc) and module.partition(".")[0] != "numpy":
        return function
    name = function.__name__
    if module == "numpy.linalg":
        return getattr(torch.linalg, name) if name in LINEAR else None
    if name in OWN:
        return OWN[name]
    return getattr(torch, RENAMED.get(name, name)) if name in SAME or name in RENAMED else None


def torch_dtype(dtype: np.dtype[Any]) -> torch.dtype:
    """The dtype of the same name."""
    return getattr(torch, dtype.name)


def _array(values: Any, dtype: Any = None) -> Any:
    if isinstance(values, tuple | list):
        made = torch.stack([_array(value) for value in values])
    else:
        made = torch.as_tensor(values)
    return made if dtype is None else made.to(torch_dtype(np.dtype(dtype)))


def _floats(x: Any) -> Any:
    return x if x.is_floating_point() or x.is_complex() else x.double()


def _reduction(name: str, prepared: Callable[[Any], Any] = lambda x: x) -> Callable[..., Any]:
    def reduce(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        function = getattr(torch, name)
        if axis is None:
            found = function(prepared(x))
            return found.reshape((1,) * x.ndim) if keepdims else found
        return function(prepared(x), dim=axis, keepdim=keepdims)

    return reduce


def _spread(name: str) -> Callable[..., Any]:
    def spread(x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
        return getattr(torch, name)(_floats(x), dim=axis, correction=ddof, keepdim=keepdims)

    return spread


def _cumulative(name: str) -> Callable[..., Any]:
    def cumulate(x: Any, axis: Any = None) -> Any:
        return getattr(torch, name)(x.reshape(-1) if axis is None else x, dim=axis or 0)

    return cumulate


def _sort(x: Any, axis: Any = -1) -> Any:
    return torch.sort(x.reshape(-1) if axis is None else x, dim=-1 if axis is None else axis).values


def _argsort(x: Any, axis: Any = -1) -> Any:
    return torch.argsort(x.reshape(-1) if axis is None else x, dim=-1 if axis is None else axis)


def _median(x: Any, axis: Any = None) -> Any:
    rows = _sort(_floats(x), None) if axis is None else torch.sort(_floats(x).movedim(axis, -1), dim=-1).values
    last = rows.shape[-1] - 1
    middle = (rows[..., last // 2] + rows[..., (last + 1) // 2]) / 2
    return torch.where(rows[..., last].isnan(), torch.nan, middle)


def _flip(x: Any, axis: Any = None) -> Any:
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return torch.flip(x, tuple(axes))


def _transpose(x: Any, axes: Any = None) -> Any:
    return x.permute(tuple(reversed(range(x.ndim))) if axes is None else tuple(axes))


def _repeat(x: Any, repeats: int, axis: Any = None) -> Any:
    return torch.repeat_interleave(x, repeats, axis)


def _take(x: Any, indices: Any, axis: Any = None) -> Any:
    if axis is None:
        return x.reshape(-1)[indices]
    return x[(slice(None),) * (axis % x.ndim) + (indices,)]


def _where(condition: Any, one: Any, two: Any) -> Any:
    return torch.where(condition if condition.dtype == torch.bool else condition != 0, one, two)


def _tile(x: Any, reps: Any) -> Any:
    return torch.tile(x, (reps,) if isinstance(reps, int) else tuple(reps))


OWN: dict[str, Callable[..., Any]] = {
    "array": _array,
    "asarray": _array,
    "copy": lambda x: x.clone(),
    "expand_dims": torch.unsqueeze,
    "flip": _flip,
    "median": _median,
    "repeat": _repeat,
    "sort": _sort,
    "argsort": _argsort,
    "take": _take,
    "tile": _tile,
    "transpose": _transpose,
    "where": _where,
    "mean": _reduction("mean", _floats),
    "max": _reduction("amax"),
    "amax": _reduction("amax"),
    "min": _reduction("amin"),
    "amin": _reduction("amin"),
    "std": _spread("std"),
    "var": _spread("var"),
    **{name: _cumulative(name) for name in ("cumsum", "cumprod")},
    **{name: _reduction(name) for name in ("sum", "prod", "any", "all", "argmax", "argmin")},
}
