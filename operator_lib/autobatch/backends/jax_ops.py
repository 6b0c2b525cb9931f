"""Single operations on one example, as JAX traces them."""

from __future__ import annotations

from typing import Any

import jax  # type: ignore[reportMissingImports]
import jax.numpy as jnp  # type: ignore[reportMissingImports]
import numpy as np

from operator_lib.autobatch.errors import CompileError
from operator_lib.autobatch.instructions import TensorType
from operator_lib.autobatch.typing.arithmetic import OPERATORS, UNARY
from operator_lib.autobatch.typing.ops import Op, Operand
from operator_lib.autobatch.typing.subscripts import rebuilt_index
from operator_lib.autobatch.typing.values import Const

Array = Any


def jax_dtype(dtype: Any) -> np.dtype[Any]:
    """What JAX keeps a dtype as: 32 bits unless ``jax_enable_x64`` is set."""
    return np.dtype(jax.dtypes.canonicalize_dtype(dtype))


def operand(value: Operand, env: dict[str, Array], kind: TensorType | None = None) -> Array:
    """The value of an operand; as an array of that type when one is given."""
    found = value.value if isinstance(value, Const) else env[value.name]
    if kind is None:
        return found
    return jnp.broadcast_to(jnp.asarray(found, jax_dtype(kind.dtype)), kind.shape)


def translated(function: Any) -> Any:
    """JAX's function for one of NumPy's of the same name."""
    module = getattr(function, "__module__", None) or ""
    if not isinstance(function, np.ufunc) and module.partition(".")[0] != "numpy":
        return function
    home = {"numpy.linalg": jnp.linalg, "numpy.fft": jnp.fft}.get(module, jnp)
    return getattr(home, function.__name__, function)


def compute(op: Op, env: dict[str, Array]) -> Array | bool:
    """Do one operation; gives whether it fails for this example."""
    args = [operand(arg, env) for arg in op.args]
    if op.kind == "raise_if":
        return args[0]
    if op.kind == "library":
        given, named = op.detail.build(args.__getitem__)
        parts = _flat(op.detail.function(*given, **named))
        for out, part in zip(op.outs, parts, strict=True):
            env[out.name] = jnp.asarray(part, jax_dtype(out.type.dtype))
        return False
    if op.kind not in _COMPUTE:
        what = {"each": f"{getattr(op.detail, 'name', 'this')}() is called example by example, which"}.get(
            op.kind, "an array that two names hold while it is written to"
        )
        raise CompileError(
            f"{what} cannot be done inside of jax.jit", op.position, "Use NumPy or PyTorch arrays for this program."
        )
    out = op.outs[0]
    made = jnp.asarray(_COMPUTE[op.kind](op, args), jax_dtype(out.type.dtype))
    env[out.name] = jnp.broadcast_to(made, out.type.shape)
    return False


def _elementwise(op: Op, args: list[Array]) -> Array:
    if op.detail == "not":
        return jnp.logical_not(args[0])
    if isinstance(op.detail, str):
        if len(args) == 1:
            return UNARY[op.detail[1:]](jnp.asarray(args[0]))
        return OPERATORS[op.detail](jnp.asarray(args[0]) if isinstance(op.args[0], Const) else args[0], args[1])
    return translated(op.detail)(*args)


def _places(op: Op, lanes: list[Array]) -> Any:
    """What stands in the brackets; JAX takes no lists there."""
    pattern = tuple((kind, np.asarray(value) if isinstance(value, list) else value) for kind, value in op.detail)
    return rebuilt_index(pattern, lanes)


def _store(op: Op, args: list[Array]) -> Array:
    base, value, *lanes = args
    return base.at[_places(op, lanes)].set(value)


_COMPUTE: dict[str, Any] = {
    "elementwise": _elementwise,
    "math": lambda op, args: getattr(jnp, _MATH.get(str(op.detail.__name__), str(op.detail.__name__)))(*args),
    "cast": lambda op, args: args[0],
    "select": lambda op, args: jnp.where(*args),
    "spread": lambda op, args: args[0],
    "copy": lambda op, args: args[0],
    "reshape": lambda op, args: args[0].reshape(op.outs[0].type.shape),
    "index": lambda op, args: jnp.asarray(args[0])[_places(op, args[1:])],
    "store": _store,
}
_MATH: dict[str, str] = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "fabs": "abs"}


def _flat(result: Any) -> list[Any]:
    if isinstance(result, tuple | list):
        return [part for item in result for part in _flat(item)]
    return [result]
