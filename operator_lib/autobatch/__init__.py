"""Single-example Python, run on whole batches.

>>> import numpy as np
>>> from operator_lib.autobatch import autobatch
>>> @autobatch
... def collatz(n):
...     steps = 0
...     while n != 1:
...         n = n // 2 if n % 2 == 0 else 3 * n + 1
...         steps += 1
...     return steps
>>> collatz(np.array([1, 6, 27]))
array([  0,   8, 111])

Needs NumPy (``pip install 'operator_lib[autobatch]'``).
"""

from __future__ import annotations

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

# public name -> module that defines it
_NAMES = {
    "CompileError": "errors",
    "Context": "context",
    "JaxBackend": "backends.jax_backend",
    "LaneError": "errors",
    "NativeBackend": "backends.choice",
    "NumpyBackend": "backends.choice",
    "StackOverflow": "errors",
    "TensorFlowBackend": "backends.tensorflow_backend",
    "TensorType": "instructions",
    "TorchBackend": "backends.torch_backend",
    "Type": "instructions",
    "compile_forward": "forward",
    "truthy": "typing.known",
}

# library that is imported -> what it is called, the extra that brings it
_LIBRARIES = {
    "jax": ("JAX", "autobatch-jax"),
    "jaxlib": ("JAX", "autobatch-jax"),
    "numpy": ("NumPy", "autobatch"),
    "tensorflow": ("TensorFlow", "autobatch-tensorflow"),
    "torch": ("PyTorch", "autobatch-torch"),
}

__all__ = [
    "CompileError",
    "Context",
    "JaxBackend",
    "LaneError",
    "NativeBackend",
    "NumpyBackend",
    "StackOverflow",
    "TensorFlowBackend",
    "TensorType",
    "TorchBackend",
    "Type",
    "autobatch",
    "compile_forward",
    "instructions",
    "truthy",
]


def autobatch(function: Any = None, **options: Any) -> Any:
    """Batch one function in a context of its own: ``@autobatch`` or ``@autobatch(strict=True)``.

    Keyword arguments are those of `Context`. The function may call itself, and any other function.
    """
    if function is None:
        return lambda found: autobatch(found, **options)
    return __getattr__("Context")(**options).batch_uncurried(function)


class _CallableModule(types.ModuleType):
    """``@operator_lib.autobatch`` is the same as ``@operator_lib.autobatch.autobatch``."""

    def __call__(self, function: Any = None, **options: Any) -> Any:
        return autobatch(function, **options)


def __getattr__(name: str) -> Any:
    if name == "instructions":
        return importlib.import_module("operator_lib.autobatch.instructions")
    if name not in _NAMES:
        raise AttributeError(f"module 'operator_lib.autobatch' has no attribute {name!r}")
    try:
        value = getattr(importlib.import_module(f"operator_lib.autobatch.{_NAMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name not in _LIBRARIES:
            raise
        library, extra = _LIBRARIES[error.name]
        text = f"operator_lib.autobatch.{name} needs {library}: pip install 'operator_lib[{extra}]'"
        raise ModuleNotFoundError(text, name=error.name) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES})


sys.modules[__name__].__class__ = _CallableModule

if TYPE_CHECKING:
    from operator_lib.autobatch import instructions as instructions
    from operator_lib.autobatch.backends.choice import NativeBackend as NativeBackend
    from operator_lib.autobatch.backends.choice import NumpyBackend as NumpyBackend
    from operator_lib.autobatch.backends.jax_backend import JaxBackend as JaxBackend
    from operator_lib.autobatch.backends.tensorflow_backend import TensorFlowBackend as TensorFlowBackend
    from operator_lib.autobatch.backends.torch_backend import TorchBackend as TorchBackend
    from operator_lib.autobatch.context import Context as Context
    from operator_lib.autobatch.errors import CompileError as CompileError
    from operator_lib.autobatch.errors import LaneError as LaneError
    from operator_lib.autobatch.errors import StackOverflow as StackOverflow
    from operator_lib.autobatch.forward import compile_forward as compile_forward
    from operator_lib.autobatch.instructions import TensorType as TensorType
    from operator_lib.autobatch.instructions import Type as Type
    from operator_lib.autobatch.typing.known import truthy as truthy
