"""What callers pass: the parameters of a function, without what the engine supplies."""

from __future__ import annotations

import inspect
from typing import Any

_EMPTY = inspect.Parameter.empty


def for_callers(signature: inspect.Signature, *, use_ctx: bool = False, reduces: bool = False) -> inspect.Signature:
    """The signature without the request context; that of a reducer takes the collection, as ``items``."""
    parameters = list(signature.parameters.values())
    if use_ctx and parameters and parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL:
        del parameters[0]
    if reduces:
        item = parameters[1].annotation if len(parameters) > 1 else _EMPTY
        kind: Any = _EMPTY if item is _EMPTY else f"list[{item}]" if isinstance(item, str) else list[item]
        parameters = [inspect.Parameter("items", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=kind)]
    return signature.replace(parameters=parameters)
