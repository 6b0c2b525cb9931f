"""Which options the engine and the worker of this release really apply.

A deploy refuses the others by name: an option that is taken and ignored is worse than one that is refused.
"""

from __future__ import annotations

from typing import Any

from operator_lib.options.record import Options

SUPPORTED = frozenset({
    "name", "description", "timeout", "retries", "use_ctx", "accumulate", "environment_variables", "concurrency",
    "min_replicas", "max_replicas", "input_encoder", "output_encoder", "metadata", "stateless", "at_most_once",
    "deployment_type",
})  # fmt: skip


def enforced_by(names: frozenset[str], options: Options | None) -> list[str]:
    """Names of set options that somebody who applies only `names` would ignore, in alphabetical order.

    An option set to its own default asks for nothing and is not listed.
    """
    if options is None:
        return []
    return sorted(name for name in options.given - names if asks(options, name))


def unsupported(options: Options | None) -> list[str]:
    """Names of set options that are not applied yet."""
    return enforced_by(SUPPORTED, options)


def asks(options: Options, name: str) -> bool:
    """Whether the option is set to something else than its default."""
    value: Any = getattr(options, name)
    default: Any = getattr(Options, name)
    # By identity and type first: comparing an accumulator (an array) with == may not give a bool.
    return not (value is default or (isinstance(value, (bool, int, str, tuple)) and value == default))
