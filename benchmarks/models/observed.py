"""What a model really does: every call of a module while it runs once, with the call around it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from operator_lib import tree


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a module. `around` is the index of the call during which it happened, None for the model itself."""

    path: str
    around: int | None


def observe(model: Any, inputs: Mapping[str, Any]) -> list[Call]:
    """Run the model once, without gradients; its calls in the order in which they began."""
    import torch

    calls: list[Call] = []
    running: list[int] = []
    paths = tree.paths(model)

    def watched(module: Any) -> Callable[..., Any]:
        forward = module.forward

        @functools.wraps(forward)
        def inner(*args: Any, **kwargs: Any) -> Any:
            calls.append(Call(paths[id(module)], running[-1] if running else None))
            running.append(len(calls) - 1)
            try:
                return forward(*args, **kwargs)
            finally:
                running.pop()

        return inner

    modules = list(model.modules())
    for module in modules:  # not hooks: some models call `forward` of a child themselves
        module.__dict__["forward"] = watched(module)
    try:
        with torch.no_grad():
            model(**inputs)
    finally:
        for module in modules:
            del module.__dict__["forward"]
    return calls
