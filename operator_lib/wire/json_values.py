"""Plain JSON for HTTP callers: `to_json` and `from_json`. What each type looks like is in README.md."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import enum
import math
import pathlib
import sys
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast

from operator_lib.wire.annotations import coerce
from operator_lib.wire.plain import MAX_DEPTH
from operator_lib.wire.refusal import Unencodable, refusal

_SAME = frozenset({str, int, bool, type(None)})
_SEQUENCES = (list, tuple, set, frozenset, deque, range)
_TEXT = (Decimal, Fraction, uuid.UUID, pathlib.PurePath)


def from_json(obj: Any, hint: Any) -> Any:
    """A JSON value as ``hint`` asks for it. Raises TypeError or ValueError with the place.

    >>> from_json({"1": ["a"]}, dict[int, set[str]])
    {1: {'a'}}
    """
    return coerce(obj, hint)


def to_json(value: Any, *, where: str = "result") -> Any:
    """``value`` in terms of dict, list, str, int, float, bool and None only. Raises SerializationError.

    >>> to_json({1: (2, float("nan"))})
    {'1': [2, None]}
    """
    try:
        return _value(value, MAX_DEPTH)
    except Unencodable as error:
        raise refusal(error, where) from None


def _value(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind in _SAME:
        return value
    if kind is float:
        return value if math.isfinite(value) else None
    if depth == 0:
        raise Unencodable(value, f"contains itself or is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, enum.Enum):
        return _value(value.value, depth - 1)
    if isinstance(value, Mapping):
        return _object(cast("Mapping[Any, Any]", value), depth)
    if isinstance(value, _SEQUENCES):
        return _list(cast("list[Any]", value), depth)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields({field.name: getattr(value, field.name) for field in dataclasses.fields(value)}, depth)
    return _leaf(value, depth)


def _object(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for key, item in value.items():
        try:
            written[_key(key, depth)] = _value(item, depth - 1)
        except Unencodable as error:
            raise error.under(f"[{key!r:.60}]") from None
    return written


def _key(key: Any, depth: int) -> str:
    if isinstance(key, str):
        return str.__str__(key) if not isinstance(key, enum.Enum) else str(key.value)
    plain = _value(key, depth - 1)
    if plain is None or type(plain) is bool:
        return {None: "null", True: "true", False: "false"}[plain]
    return str(plain) if isinstance(plain, (str, int, float)) else str(key)


def _list(value: Any, depth: int) -> list[Any]:
    written: list[Any] = []
    try:
        for item in value:
            written.append(_value(item, depth - 1))
    except Unencodable as error:
        raise error.under(f"[{len(written)}]") from None
    return written


def _fields(fields: Mapping[str, Any], depth: int) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for name, item in fields.items():
        try:
            written[name] = _value(item, depth - 1)
        except Unencodable as error:
            raise error.under(f".{name}") from None
    return written


def _leaf(value: Any, depth: int) -> Any:
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        text = value.isoformat()
        return None if text == "NaT" else text  # pandas' missing moment is a datetime
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, _TEXT):
        return str(value)
    if isinstance(value, complex):
        return [_value(value.real, depth), _value(value.imag, depth)]
    for base in (str, bool, int, float):  # subclasses
        if isinstance(value, base):
            return _value(base(value), depth)
    if isinstance(value, BaseException):
        return {"type": type(value).__qualname__, "message": str(value)}
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return _library(value, depth)


def _library(value: Any, depth: int) -> Any:
    module = type(value).__module__.partition(".")[0]
    forms: dict[str, Callable[[Any], Any]] = {
        "numpy": lambda value: value.tolist(),
        "torch": lambda value: value.detach().cpu().tolist(),
        "pandas": _pandas,
        "pyarrow": lambda value: value.to_pylist(),
        "polars": lambda value: value.to_dicts() if hasattr(value, "to_dicts") else value.to_list(),
        "PIL": _png,
    }
    if module not in forms or module not in sys.modules:
        raise Unencodable(value)
    try:
        plain = forms[module](value)
    except Exception as error:
        raise Unencodable(value, f"has no JSON form ({error})") from None
    if type(plain) is type(value):
        raise Unencodable(value)
    return _value(plain, depth - 1)


def _pandas(value: Any) -> Any:
    if hasattr(value, "columns"):
        return value.to_dict(orient="records")
    if hasattr(value, "tolist"):
        return value.tolist()
    return None if value is sys.modules["pandas"].NA else str(value)


def _png(value: Any) -> str:
    import io

    out = io.BytesIO()
    value.save(out, format="PNG")
    return base64.b64encode(out.getvalue()).decode()
