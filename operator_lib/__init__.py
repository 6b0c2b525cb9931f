"""PyTorch-style composable jobs: plain Python, seen as a graph, deployed, called from anywhere.

The names below load on first use (PEP 562): importing this package costs almost nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# public name -> module that defines it
_NAMES = {
    "Operator": "core",
    "operator": "decorator",
    "Sequential": "containers",
    "OperatorList": "containers",
    "OperatorDict": "containers",
    "Retries": "options",
    "Batch": "options",
    "Image": "options",
    "Env": "options",
    "Metadata": "options",
    "Resource": "options",
    "gpu": "options",
    "Graph": "graph",
    "RouteTo": "graph",
    "Map": "graph",
    "RequestContext": "context",
    "DAG": "trace.dag",
    "Run": "engine.run",
    "record": "engine.recording",
    "DeployPlan": "package.plan",
    "stub": "client.stubs",
    "optimize": "independence.optimized",
}
_MODULES = ("autobatch", "errors", "frontends", "lib", "worker")

__all__ = [
    "DAG",
    "Batch",
    "DeployPlan",
    "Env",
    "Graph",
    "Image",
    "Map",
    "Metadata",
    "Operator",
    "OperatorDict",
    "OperatorList",
    "RequestContext",
    "Resource",
    "Retries",
    "RouteTo",
    "Run",
    "Sequential",
    "autobatch",
    "errors",
    "frontends",
    "gpu",
    "lib",
    "operator",
    "optimize",
    "record",
    "stub",
    "worker",
]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        value = getattr(importlib.import_module(f"operator_lib.{_NAMES[name]}"), name)
    elif name in _MODULES:
        value = importlib.import_module(f"operator_lib.{name}")
    else:
        raise AttributeError(f"module 'operator_lib' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


if TYPE_CHECKING:
    from operator_lib import autobatch as autobatch
    from operator_lib import errors as errors
    from operator_lib import frontends as frontends
    from operator_lib import lib as lib
    from operator_lib import worker as worker
    from operator_lib.client.stubs import stub as stub
    from operator_lib.containers import OperatorDict as OperatorDict
    from operator_lib.containers import OperatorList as OperatorList
    from operator_lib.containers import Sequential as Sequential
    from operator_lib.context import RequestContext as RequestContext
    from operator_lib.core import Operator as Operator
    from operator_lib.decorator import operator as operator
    from operator_lib.engine.recording import record as record
    from operator_lib.engine.run import Run as Run
    from operator_lib.graph import Graph as Graph
    from operator_lib.graph import Map as Map
    from operator_lib.graph import RouteTo as RouteTo
    from operator_lib.independence.optimized import optimize as optimize
    from operator_lib.options import Batch as Batch
    from operator_lib.options import Env as Env
    from operator_lib.options import Image as Image
    from operator_lib.options import Metadata as Metadata
    from operator_lib.options import Resource as Resource
    from operator_lib.options import Retries as Retries
    from operator_lib.options import gpu as gpu
    from operator_lib.package.plan import DeployPlan as DeployPlan
    from operator_lib.trace.dag import DAG as DAG
