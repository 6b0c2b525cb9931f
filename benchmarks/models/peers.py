"""The other side of a row: what `torch.fx` and `torch.export` make of the same model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def fx(model: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """``torch.fx.symbolic_trace``: its graph calls leaf modules and names the modules around them."""
    import torch.fx

    graph = torch.fx.symbolic_trace(model).graph
    return {"modules": len(_modules(graph.nodes))}


def export(model: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """``torch.export.export(strict=False)``: it runs the model once, and notes in which module an operation stood."""
    import torch

    for config in {id(c): c for m in model.modules() if (c := getattr(m, "config", None)) is not None}.values():
        if getattr(config, "use_cache", False):
            config.use_cache = False  # a cache is no type that it can return
    with torch.no_grad():
        graph = torch.export.export(model, (), dict(inputs), strict=False).graph
    return {"modules": len(_modules(graph.nodes))}


def _modules(nodes: Any) -> set[str]:
    """Paths of the modules, without the model itself, in which some operation of the graph stands."""
    found: set[str] = set()
    for node in nodes:
        found |= {str(entry[0]).partition("@")[0] for entry in (node.meta.get("nn_module_stack") or {}).values()}
        found |= {node.target} if node.op == "call_module" else set()
    return {path for path in found if path and not path.startswith("L__self__")}
