"""Tagged forms of single values: bytes, dates, numbers, paths, ranges, builtins by name."""

from __future__ import annotations

import builtins
import datetime as dt
import pathlib
import sys
import types
import uuid
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from operator_lib.errors import SerializationError
from operator_lib.wire.refusal import Unencodable

if TYPE_CHECKING:
    from operator_lib.wire.hints import Hints
    from operator_lib.wire.tagged import Reader, Writer

INLINE = 256  # bytes; shorter ones are kept in the JSON as Latin-1 text, longer ones are raw buffers

# Functions that run code or touch the process; a peer has no business handing them over.
_KEPT_BACK = frozenset({"eval", "exec", "compile", "open", "input", "breakpoint", "__import__", "__build_class__"})
_MICROSECOND = dt.timedelta(microseconds=1)


def _write_bytes(writer: Writer, value: bytes) -> Any:
    return {"$bytes": value.decode("latin-1") if len(value) <= INLINE else writer.put(value)}


def _read_bytes(reader: Reader, node: Any, hints: Hints) -> bytes:
    return node.encode("latin-1") if type(node) is str else bytes(reader.take(node))


def _write_bytearray(writer: Writer, value: bytearray) -> Any:
    return {"$bytearray": writer.put(memoryview(value))}


def _read_bytearray(reader: Reader, node: Any, hints: Hints) -> bytearray:
    return bytearray(reader.take(node))


def _write_zone(value: dt.datetime | dt.time) -> Any:
    zone = value.tzinfo
    if zone is None:
        return None
    if type(zone) is dt.timezone:
        offset, *name = zone.__getinitargs__()  # pyright: ignore[reportAttributeAccessIssue]
        return [offset // _MICROSECOND, *name]
    key = getattr(zone, "key", None)
    if type(zone).__module__.partition(".")[0] == "zoneinfo" and isinstance(key, str):
        return key
    raise Unencodable(zone).under(".tzinfo")


def _read_zone(node: Any) -> dt.tzinfo | None:
    if node is None:
        return None
    if isinstance(node, str):
        from zoneinfo import ZoneInfo

        return ZoneInfo(node)
    offset, *name = node
    return dt.timezone(offset * _MICROSECOND, *name)


def _write_datetime(writer: Writer, value: dt.datetime) -> Any:
    return {"$datetime": [value.replace(tzinfo=None).isoformat(), _write_zone(value), value.fold]}


def _read_datetime(reader: Reader, node: Any, hints: Hints) -> dt.datetime:
    text, zone, fold = node
    return dt.datetime.fromisoformat(text).replace(tzinfo=_read_zone(zone), fold=fold)


def _write_time(writer: Writer, value: dt.time) -> Any:
    return {"$time": [value.replace(tzinfo=None).isoformat(), _write_zone(value), value.fold]}


def _read_time(reader: Reader, node: Any, hints: Hints) -> dt.time:
    text, zone, fold = node
    return dt.time.fromisoformat(text).replace(tzinfo=_read_zone(zone), fold=fold)


def _write_timezone(writer: Writer, value: Any) -> Any:
    return {"$zone": _write_zone(dt.time(tzinfo=value))}


def _write_path(writer: Writer, value: pathlib.PurePath) -> Any:
    kind = type(value)
    if kind is pathlib.PosixPath or kind is pathlib.WindowsPath:
        return {"$path": ["Path", str(value)]}
    return {"$path": [kind.__name__, str(value)]}


_PATHS = {
    "Path": pathlib.Path,
    "PurePosixPath": pathlib.PurePosixPath,
    "PureWindowsPath": pathlib.PureWindowsPath,
}


def _write_range(writer: Writer, value: range) -> Any:
    return {"$range": [writer.write(part) for part in (value.start, value.stop, value.step)]}


def _write_slice(writer: Writer, value: slice) -> Any:
    return {"$slice": [writer.write(part) for part in (value.start, value.stop, value.step)]}


def _write_fraction(writer: Writer, value: Fraction) -> Any:
    return {"$fraction": [writer.write(value.numerator), writer.write(value.denominator)]}


def _write_builtin(writer: Writer, value: Any) -> Any:
    name = getattr(value, "__name__", None) or repr(value)
    if name in _KEPT_BACK or vars(builtins).get(name) is not value:
        raise Unencodable(value, "" if not isinstance(value, type) else f"is the class {value.__qualname__}")
    return {"$builtin": name}


def _read_builtin(reader: Reader, node: Any, hints: Hints) -> Any:
    value = vars(builtins).get(node)
    if node in _KEPT_BACK or type(value) not in WRITERS or WRITERS[type(value)] is not _write_builtin:
        raise SerializationError(f"no builtin type or function {node!r} can be received")
    return value


def _read_int(reader: Reader, node: Any, hints: Hints) -> int:
    return int(node, 16)


def _rebuild(make: Any) -> Any:
    """A reader that calls ``make`` with the parts."""
    return lambda reader, node, hints: make(*[reader.read(part) for part in node])


def find_writer(kind: type) -> Any:
    zones = sys.modules.get("zoneinfo")  # loaded when there is one of its objects
    return _write_timezone if zones is not None and kind is vars(zones).get("ZoneInfo") else None


WRITERS: dict[type, Any] = {
    bytes: _write_bytes,
    bytearray: _write_bytearray,
    dt.datetime: _write_datetime,
    dt.date: lambda writer, value: {"$date": value.isoformat()},
    dt.time: _write_time,
    dt.timedelta: lambda writer, value: {"$timedelta": [value.days, value.seconds, value.microseconds]},
    dt.timezone: _write_timezone,
    Decimal: lambda writer, value: {"$decimal": str(value)},
    Fraction: _write_fraction,
    complex: lambda writer, value: {"$complex": [value.real, value.imag]},
    uuid.UUID: lambda writer, value: {"$uuid": value.hex},
    pathlib.PosixPath: _write_path,
    pathlib.WindowsPath: _write_path,
    pathlib.PurePosixPath: _write_path,
    pathlib.PureWindowsPath: _write_path,
    range: _write_range,
    slice: _write_slice,
    type: _write_builtin,
    types.BuiltinFunctionType: _write_builtin,
    type(Ellipsis): _write_builtin,
    type(NotImplemented): _write_builtin,
}

READERS: dict[str, Any] = {
    "$int": _read_int,
    "$bytes": _read_bytes,
    "$bytearray": _read_bytearray,
    "$datetime": _read_datetime,
    "$date": lambda reader, node, hints: dt.date.fromisoformat(node),
    "$time": _read_time,
    "$timedelta": lambda reader, node, hints: dt.timedelta(*node),
    "$zone": lambda reader, node, hints: _read_zone(node),
    "$decimal": lambda reader, node, hints: Decimal(_text(node)),
    "$fraction": _rebuild(Fraction),
    "$complex": lambda reader, node, hints: complex(*node),
    "$uuid": lambda reader, node, hints: uuid.UUID(hex=node),
    "$path": lambda reader, node, hints: _PATHS[node[0]](node[1]),
    "$range": _rebuild(range),
    "$slice": _rebuild(slice),
    "$builtin": _read_builtin,
}


def _text(node: Any) -> str:
    if type(node) is not str:
        raise SerializationError("damaged frame: text was expected")
    return node
