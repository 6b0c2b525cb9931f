"""Every option an operator can have: its range, its message, its inheritance.

The names below load on first use (PEP 562), so that a program that sets no option pays for none.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from operator_lib.options.lookup import merge, of, with_given
from operator_lib.options.record import Options

# public name -> file here that defines it
_NAMES = {
    "Retries": "retries",
    "Batch": "batch",
    "Image": "image",
    "Env": "env",
    "Metadata": "metadata",
    "Resource": "resource",
    "GpuSpec": "gpu",
    "Reference": "encoding",
    "SUPPORTED": "support",
    "apart": "support",
    "asks": "support",
    "enforced_by": "support",
    "of_process": "support",
    "unset": "support",
    "unsupported": "support",
}


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        value = getattr(importlib.import_module(f"operator_lib.options.{_NAMES[name]}"), name)
    elif name == "gpu":
        value = importlib.import_module("operator_lib.options.gpu")
    else:
        raise AttributeError(f"module 'operator_lib.options' has no attribute {name!r}")
    globals()[name] = value
    return value


if TYPE_CHECKING:
    from operator_lib.options import gpu
    from operator_lib.options.batch import Batch
    from operator_lib.options.encoding import Reference
    from operator_lib.options.env import Env
    from operator_lib.options.gpu import GpuSpec
    from operator_lib.options.image import Image
    from operator_lib.options.metadata import Metadata
    from operator_lib.options.resource import Resource
    from operator_lib.options.retries import Retries
    from operator_lib.options.support import SUPPORTED, apart, asks, enforced_by, of_process, unset, unsupported

__all__ = [
    "SUPPORTED",
    "Batch",
    "Env",
    "GpuSpec",
    "Image",
    "Metadata",
    "Options",
    "Reference",
    "Resource",
    "Retries",
    "apart",
    "asks",
    "enforced_by",
    "gpu",
    "merge",
    "of",
    "of_process",
    "unset",
    "unsupported",
    "with_given",
]
