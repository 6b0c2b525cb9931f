"""Other systems' ways of writing programs, over the same engine: sources run after their import line is changed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_FRONTENDS = ("sieve", "tensorlake", "torchserve")


def __getattr__(name: str) -> Any:
    if name not in _FRONTENDS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; there are: {', '.join(_FRONTENDS)}")
    return importlib.import_module(f"{__name__}.{name}")


if TYPE_CHECKING:
    from operator_lib.frontends import sieve as sieve
    from operator_lib.frontends import tensorlake as tensorlake
    from operator_lib.frontends import torchserve as torchserve
