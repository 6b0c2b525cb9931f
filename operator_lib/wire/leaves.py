"""JSON forms of single values for callers that are not Python, in both directions; the table is in
README.md.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import io
import math
import pathlib
import sys
import typing
import uuid
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, cast

Coercion = Callable[[Any, str], Any]

_FLOAT_TEXT = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def _wrong(value: Any, expected: str, where: str) -> TypeError:
    return TypeError(f"{where}: expected {expected}, got {'null' if value is None else type(value).__name__}")


def _exactly(kind: type, name: str) -> Coercion:
    def check(value: Any, where: str) -> Any:
        if isinstance(value, kind):
            return value
        raise _wrong(value, name, where)

    return check


def _bool(value: Any, where: str) -> bool:
    if type(value) is bool:
        return value
    raise _wrong(value, "bool", where)


def _int(value: Any, where: str) -> int:
    if isinstance(value, int) and type(value) is not bool:
        return value
    if type(value) is float and value.is_integer():  # JSON has one kind of number
        return int(value)
    raise _wrong(value, "int", where)


def _float(value: Any, where: str) -> float:
    if isinstance(value, float):
        return value
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            raise ValueError(f"{where}: the number is too large for a float") from None
    if type(value) is str and value in _FLOAT_TEXT:
        return _FLOAT_TEXT[value]
    raise _wrong(value, "float", where)


def _complex(value: Any, where: str) -> complex:
    if isinstance(value, complex):
        return value
    if isinstance(value, (list, tuple)) and len(cast("list[Any]", value)) == 2:
        return complex(_float(value[0], f"{where}[0]"), _float(value[1], f"{where}[1]"))
    if isinstance(value, (int, float)) and type(value) is not bool:
        return complex(value)
    raise _wrong(value, "[real, imaginary]", where)


def _from_text(kind: type, name: str, parse: Callable[[str], Any], also: tuple[type, ...] = ()) -> Coercion:
    def read(value: Any, where: str) -> Any:
        if isinstance(value, kind):
            return value
        if type(value) in also:
            value = str(value)
        if not isinstance(value, str):
            raise _wrong(value, name, where)
        try:
            return parse(value)
        except (ValueError, InvalidOperation, ArithmeticError, binascii.Error):
            raise ValueError(f"{where}: {value!r:.100} is not {name}") from None

    return read


def _decode64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _file(value: Any, where: str) -> Any:
    """Something to read from."""
    return value if hasattr(value, "read") else io.BytesIO(LEAVES[bytes](value, where))


def _timedelta(value: Any, where: str) -> dt.timedelta:
    if isinstance(value, dt.timedelta):
        return value
    if type(value) not in (int, float):
        raise _wrong(value, "a number of seconds", where)
    try:
        return dt.timedelta(seconds=value)
    except (ValueError, OverflowError):
        raise ValueError(f"{where}: {value!r} is not a number of seconds that a timedelta can hold") from None


LEAVES: dict[Any, Coercion] = {
    bool: _bool,
    int: _int,
    float: _float,
    complex: _complex,
    str: _exactly(str, "str"),
    type(None): _exactly(type(None), "null"),
    bytes: _from_text(bytes, "base64 text", _decode64),
    bytearray: _from_text(bytearray, "base64 text", lambda text: bytearray(_decode64(text))),
    memoryview: _from_text(memoryview, "base64 text", lambda text: memoryview(_decode64(text))),
    io.BytesIO: _file,
    typing.BinaryIO: _file,
    typing.IO: _file,
    dt.datetime: _from_text(dt.datetime, "an ISO 8601 date and time", dt.datetime.fromisoformat),
    dt.date: _from_text(dt.date, "an ISO 8601 date", dt.date.fromisoformat),
    dt.time: _from_text(dt.time, "an ISO 8601 time", dt.time.fromisoformat),
    dt.timedelta: _timedelta,
    Decimal: _from_text(Decimal, "a decimal number", Decimal, (int, float)),
    Fraction: _from_text(Fraction, "a fraction", Fraction, (int, float)),
    uuid.UUID: _from_text(uuid.UUID, "a UUID", uuid.UUID),
    pathlib.Path: _from_text(pathlib.Path, "a path", pathlib.Path),
    pathlib.PurePath: _from_text(pathlib.PurePath, "a path", pathlib.PurePath),
}


def library_leaf(kind: type) -> Coercion | None:
    """How JSON becomes an array, a tensor, a table or an image, when ``kind`` is one of those classes."""
    module = kind.__module__.partition(".")[0]
    makers: dict[tuple[str, str], Callable[[Any, Any], Any]] = {
        ("numpy", "ndarray"): lambda library, value: library.asarray(value),
        ("torch", "Tensor"): lambda library, value: library.tensor(value),
        ("pandas", "DataFrame"): lambda library, value: library.DataFrame(value),
        ("pandas", "Series"): lambda library, value: library.Series(value),
        ("polars", "DataFrame"): lambda library, value: library.DataFrame(value),
        ("PIL", "Image"): _image,
    }
    make = makers.get((module, kind.__name__))
    library = sys.modules.get(module)
    if module == "numpy" and make is None:
        return _numpy_scalar(kind, library)
    if make is None or library is None:
        return None

    def read(value: Any, where: str) -> Any:
        try:
            return make(library, value)
        except Exception as error:
            raise ValueError(f"{where}: not the form of a {kind.__name__} ({error})") from error

    return read


def _numpy_scalar(kind: type, numpy: Any) -> Coercion | None:
    if not issubclass(kind, numpy.generic):
        return None

    def read(value: Any, where: str) -> Any:
        try:
            return cast("Any", kind)(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"{where}: {error}") from None

    return read


def _image(library: Any, value: Any) -> Any:
    import io

    from PIL import Image

    image = Image.open(io.BytesIO(_decode64(value)), formats=("PNG", "JPEG", "WEBP"))
    image.load()
    return image
