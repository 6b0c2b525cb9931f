"""What a script saw as plain JSON: equal for equal behaviour, in whichever process it was seen."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
from typing import Any

LONG = 500


def describe(value: Any) -> Any:
    """A value with its exact type; text and bytes that are long by their digest."""
    kind = type(value)
    name = kind.__qualname__
    if value is None or kind is bool:
        return value
    if isinstance(value, BaseException):
        return describe_error(value)
    if isinstance(value, type):
        return ["class", f"{value.__module__}.{name_of(value)}"]
    if isinstance(value, enum.Enum):
        return [name, str(value)]
    if isinstance(value, (str, bytes, bytearray)):
        return [name, value if kind is str and len(value) < LONG else shortened(value)]
    if hasattr(value, "dtype") and hasattr(value, "tobytes"):
        return [name, str(value.dtype), list(value.shape), shortened(value.tobytes()), str(value)[:LONG]]
    if dataclasses.is_dataclass(value):
        fields = {field.name: describe(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return [name, fields]
    if isinstance(value, dict):
        return [name, [[describe(key), describe(item)] for key, item in value.items()]]
    if isinstance(value, (set, frozenset)):
        return [name, sorted((describe(item) for item in value), key=repr)]
    if isinstance(value, (list, tuple)):
        return [name, [describe(item) for item in value]]
    return [name, repr(value)]


def name_of(kind: type) -> str:
    return kind.__qualname__


def shortened(value: str | bytes | bytearray) -> Any:
    data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else bytes(value)
    return data.hex() if len(data) < LONG else [len(data), hashlib.sha256(data).hexdigest()]


def describe_error(error: BaseException) -> Any:
    """All that a handler can see of an exception, apart from where it came from."""
    seen = {
        "type": type(error).__qualname__,
        "bases": list(dict.fromkeys(b.__qualname__ for b in type(error).__mro__ if b.__module__ == "builtins")),
        "args": describe(error.args),
        "text": str(error),
        "repr": repr(error),
        # The failure of a run says last how to go on with it.
        "notes": [note for note in getattr(error, "__notes__", ()) if not note.startswith("\nRun ")],
    }
    own = {k: v for k, v in vars(error).items() if k in ("code", "reason")}
    if own:
        seen["attributes"] = describe(own)
    if isinstance(error, OSError):
        seen["os"] = [error.errno, error.strerror, error.filename]
    if isinstance(error, BaseExceptionGroup):
        seen["members"] = [describe_error(member) for member in error.exceptions]
    cause = error.__cause__
    if cause is not None and type(cause).__name__ != "RemoteTraceback":
        seen["cause"] = describe_error(cause)
    elif error.__context__ is not None:
        seen["context"] = describe_error(error.__context__)
    return seen
