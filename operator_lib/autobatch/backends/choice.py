"""Which array library a program runs on."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from operator_lib.autobatch.typing.stand_ins import StandIns

if TYPE_CHECKING:
    from operator_lib.autobatch.arguments import Leaf


class Backend:
    """An array library, and how programs run on it."""

    name: str = ""
    strategies: tuple[str, ...] = ()
    """Ways to run that it has; the first is the usual one."""

    @property
    def key(self) -> Any:
        """Equal for backends that can share compiled programs."""
        return self.name

    def stand_ins(self) -> StandIns:
        """What types are inferred with."""
        return StandIns()

    def scope(self, leaves: Sequence[Leaf]) -> AbstractContextManager[object]:
        """What holds while a program for such arguments is compiled and run."""
        return nullcontext()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class NumpyBackend(Backend):
    """NumPy: all strategies; the machine for `strategy="auto"` is chosen by what was faster."""

    name = "numpy"
    strategies = ("program_counter", "stackless", "loop")


class NativeBackend(Backend):
    """Scalar programs, compiled lane by lane with Numba (``pip install 'operator_lib[autobatch-native]'``).

    Raises:
        ModuleNotFoundError: there is no Numba.
    """

    name = "native"
    strategies = ("native",)

    def __init__(self) -> None:
        if importlib.util.find_spec("numba") is None:
            raise ModuleNotFoundError(
                "operator_lib.autobatch.NativeBackend needs Numba: pip install 'operator_lib[autobatch-native]'",
                name="numba",
            )

    @property
    def key(self) -> Any:
        return "numpy"


def chosen(backend: Any, arrays: Iterable[Any]) -> Backend:
    """The backend that was asked for, or that of the arguments."""
    if backend is not None:
        if not isinstance(backend, Backend):
            raise TypeError(f"backend must be one of operator_lib.autobatch's backends, got {backend!r}")
        return backend
    for array in arrays:
        if isinstance(array, np.ndarray):
            continue
        root = type(array).__module__.partition(".")[0]
        made = _OTHERS.get(root)
        if made is not None and root in sys.modules:
            return made()
    return NUMPY


def _torch() -> Backend:
    from operator_lib.autobatch.backends.torch_backend import TorchBackend

    return TorchBackend()


def _jax() -> Backend:
    from operator_lib.autobatch.backends.jax_backend import JaxBackend

    return JaxBackend()


def _tensorflow() -> Backend:
    from operator_lib.autobatch.backends.tensorflow_backend import TensorFlowBackend

    return TensorFlowBackend()


NUMPY = NumpyBackend()
_OTHERS = {"torch": _torch, "jaxlib": _jax, "jax": _jax, "tensorflow": _tensorflow}
