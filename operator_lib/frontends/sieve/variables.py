"""Values of environment variables that are given with a call."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from operator_lib.errors import OptionError
from operator_lib.options import Env


def overrides(kwargs: dict[str, Any], target: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """The arguments of a call, and the values in its ``env``, unless `target` has a parameter of that name.

    Raises:
        OptionError: `env` is no mapping from names to values.
    """
    if "env" not in kwargs or takes(target, "env"):
        return kwargs, {}
    env = kwargs["env"]
    if not isinstance(env, Mapping):
        raise OptionError(f"env: must be a mapping from names to values, got a {type(env).__name__}")
    values = {Env(name, default=value).name: str(value) for name, value in env.items()}
    return {name: value for name, value in kwargs.items() if name != "env"}, values


def takes(target: Any, name: str) -> bool:
    """Whether a function, model or handle has a parameter of that name."""
    schema = vars(target).get("_schema") if not isinstance(target, type) else None
    if schema is not None:
        method = schema.find("")
        return method is not None and name in {param.name for param in method.params}
    predict = getattr(target, "__predict__", None) if isinstance(target, type) else None
    return name in inspect.signature(predict or target).parameters
