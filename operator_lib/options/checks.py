"""What a value must be: small checks that return the value in its final form or say what is wrong with it.

A check is a function of one value. It raises `Bad` with the words that follow ``foo.timeout: ``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from operator_lib.errors import OptionError

Check = Callable[[Any], Any]

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
DEPLOYMENT_NAME = re.compile(r"[A-Za-z0-9!_\-.*'()]{1,200}")


class Bad(Exception):
    """The value is refused; the argument is the reason in words."""


def show(value: object) -> str:
    """A short repr that never raises, for messages."""
    try:
        text = repr(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= 80 else text[:77] + "..."


def integer(low: int, high: int) -> Check:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Bad(f"must be an int between {low} and {high}, got {show(value)}")
        return int(value)

    return check


def number(low: float, high: float) -> Check:
    def check(value: Any) -> float:
        # A NaN fails every comparison, so it is refused by the range.
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise Bad(f"must be a number between {low} and {high}, got {show(value)}")
        return float(value)

    return check


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Bad(f"must be True or False, got {show(value)}")
    return value


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise Bad(f"must be a string, got {show(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Bad(f"must be text that UTF-8 can hold, got {show(value)}") from None
    return str(value)


def line(value: Any) -> str:
    value = text(value)
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise Bad(f"must be one line without control characters, got {show(value)}")
    return value


def filled_line(value: Any) -> str:
    value = line(value)
    if not value.strip():
        raise Bad(f"must not be empty, got {show(value)}")
    return value


def name(value: Any) -> str:
    if not isinstance(value, str) or not DEPLOYMENT_NAME.fullmatch(value):
        raise Bad(f"must be 1 to 200 characters out of A-Z a-z 0-9 ! _ - . * ' ( ), got {show(value)}")
    return str(value)


def variable(value: Any) -> str:
    if not isinstance(value, str) or not VARIABLE.fullmatch(value):
        raise Bad(f"must be a name of an environment variable, got {show(value)}")
    return str(value)


def url(value: Any) -> str:
    value = line(value)
    if value and not value.startswith(("https://", "http://")):
        raise Bad(f"must start with https:// or http://, got {show(value)}")
    return value


def choice(*allowed: str) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise Bad(f"must be one of {allowed}, got {show(value)}")
        return str(value)

    return check


def optional(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def several(check: Check, what: str) -> Check:
    """A list or tuple whose items all pass `check`, as a tuple."""

    def check_all(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise Bad(f"must be a list of {what}, got {show(value)}")
        return tuple(check(item) for item in value)

    return check_all


def secret_names(value: Any) -> tuple[str, ...]:
    # A mapping here holds values: say its type, never its content.
    if isinstance(value, str) or not isinstance(value, (list, tuple)):
        raise Bad(f"must be a list of names, got a {type(value).__name__}")
    names = tuple(variable(item) for item in value)
    for index, item in enumerate(names):
        if item in names[:index]:
            raise Bad(f"must name each secret once, got {item!r} twice")
    return names


def settle(owner: str, target: object, checks: Mapping[str, Check]) -> None:
    """Check the fields of a frozen dataclass in place; one error lists every mistake.

    Raises:
        OptionError: with a line ``Retries.max_retries: must be ...`` for each field that is wrong.
    """
    problems: list[str] = []
    for field, check in checks.items():
        try:
            object.__setattr__(target, field, check(getattr(target, field)))
        except Bad as bad:
            problems.append(f"{owner}.{field}: {bad}")
    if problems:
        raise OptionError("\n".join(problems))
