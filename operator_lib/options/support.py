"""Which options the engine and the worker of this release really apply.

A deploy refuses the others by name: an option that is taken and ignored is worse than one that is refused.
"""

from __future__ import annotations

from typing import Any

from operator_lib.options.record import Options

SUPPORTED = frozenset({
    "name", "description", "timeout", "retries", "use_ctx", "accumulate", "environment_variables", "concurrency",
    "min_replicas", "max_replicas", "scaledown_window", "input_encoder", "output_encoder", "metadata", "stateless",
    "at_most_once", "deployment_type", "cpu", "memory", "ephemeral_disk", "gpu", "secrets", "image", "next",
    "checkpoint", "cacheable", "cache_ttl", "batch", "autobatch", "snapshot", "restart_on_error", "pure",
})  # fmt: skip


# Options of a whole process, which a child cannot have for itself inside that of its parent.
OF_A_PROCESS = ("cpu", "environment_variables", "ephemeral_disk", "gpu", "image", "memory", "secrets")


def apart(process: Options, own: Options | None) -> list[str]:
    """Options of a process that an operator asks for itself, and that are not those of the `process` around it."""
    if own is None:
        return []
    return [name for name in OF_A_PROCESS if asks(own, name) and not _has(process, name, getattr(own, name))]


def _has(process: Options, name: str, wanted: Any) -> bool:
    there: Any = getattr(process, name)
    return set(wanted) <= set(there) if isinstance(wanted, tuple) and name != "gpu" else wanted == there


def of_process(options: Options) -> dict[str, Any]:
    """Those of the process, as `Options.to_json` gives them."""
    return {name: said for name, said in options.to_json().items() if name in OF_A_PROCESS}


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


def unset(options: Options | None) -> list[str]:
    """Variables that have no value: no default, and no secret of that name is asked for."""
    if options is None:
        return []
    without = (env.name for env in options.environment_variables if env.default is None)
    return [name for name in without if name not in options.secrets]


def asks(options: Options, name: str) -> bool:
    """Whether the option is set to something else than its default."""
    value: Any = getattr(options, name)
    default: Any = getattr(Options, name)
    # By identity and type first: comparing an accumulator (an array) with == may not give a bool.
    return not (value is default or (isinstance(value, (bool, int, str, tuple)) and value == default))
