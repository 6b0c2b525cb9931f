"""How the SDK hands a value to a function: items of a tuple or list one by one, those of a dict by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Item:
    """A value on its way to a reducer, still to be bound."""

    value: Any


def bound(function: Callable[..., Any], value: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments made of a value."""
    if isinstance(value, tuple | list):
        return tuple(value), {}
    if isinstance(value, dict) and _fits(function, value):
        return (), value
    return (value,), {}


def _fits(function: Callable[..., Any], named: dict[Any, Any]) -> bool:
    """Whether the keys are names of parameters; a dict of other data is one value."""
    parameters = inspect.signature(function).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return all(isinstance(key, str) for key in named)
    return bool(named) and named.keys() <= {p.name for p in parameters}
