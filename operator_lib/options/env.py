"""Environment variables that an operator wants to find in its process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from operator_lib.options.checks import Bad, settle, text, variable


@dataclass(frozen=True, slots=True)
class Env:
    """One variable: its name, what it is for, and its value unless a secret or the deployer gives another.

    Attributes:
        default: a string, or a number, which is written out (``30`` is ``"30"``); None: has to be given.

    Raises:
        OptionError: the name is no variable's name, or the default is no text.
    """

    name: str
    description: str = ""
    # Often a key or a password, so it stays out of the repr.
    default: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        settle("Env", self, CHECKS)


def _default(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, (int, float)):
        return str(value)
    if not isinstance(value, str):
        raise Bad(f"must be a string or a number, got a {type(value).__name__}")
    try:
        value = text(value)
    except Bad:
        raise Bad("must be text that UTF-8 can hold") from None
    if "\0" in value:
        raise Bad("must not hold a NUL character")
    return value


def as_environment(value: Any) -> tuple[Env, ...]:
    """The check of `environment_variables`: a list of `Env`, or a mapping from name to value."""
    if isinstance(value, Env):
        value = (value,)
    elif isinstance(value, Mapping):
        value = tuple(_entry(key, item) for key, item in value.items())
    form = "must be a list of Env(...) or a mapping from names to values"
    if not isinstance(value, (list, tuple)):
        raise Bad(f"{form}, got a {type(value).__name__}")
    wrong = next((item for item in value if not isinstance(item, Env)), None)
    if wrong is not None:
        # A text is a name; in anything else there may be a value.
        meant = f"Env({wrong!r:.40})" if isinstance(wrong, str) and wrong.isidentifier() else "Env(NAME, default=...)"
        raise Bad(f"{form}, got a {type(wrong).__name__} among them; write {meant}")
    names = [item.name for item in value]
    for index, item in enumerate(names):
        if item in names[:index]:
            raise Bad(f"must name each variable once, got {item!r} twice")
    return tuple(value)


def _entry(key: Any, item: Any) -> Env:
    key = variable(key)
    try:
        return Env(key, default=_default(item))
    except Bad as bad:
        raise Bad(f"value of {key} {bad}") from None


CHECKS = {"name": variable, "description": text, "default": _default}
