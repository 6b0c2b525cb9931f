"""What may be asked for: of a context, of a batched function, in a call."""

from __future__ import annotations

from typing import Any

STRATEGIES = ("auto", "program_counter", "stackless", "loop", "native")
SCHEDULES = ("source", "most")


def check(name: str, value: Any) -> None:
    """
    Raises:
        ValueError: an option has no such value; the text says which there are.
    """
    if name == "max_stack_depth" and value is not None and not _count(value):
        raise ValueError(
            f"max_stack_depth must be an int of at least 1, or None for as many as it takes, got {value!r}"
        )
    if name == "lanes" and value is not None and not _count(value):
        raise ValueError(f"lanes must be an int of at least 1, or None for all, got {value!r}")
    for option, known in (("strategy", STRATEGIES), ("schedule", SCHEDULES)):
        if name == option and value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
