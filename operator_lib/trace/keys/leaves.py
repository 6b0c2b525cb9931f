"""Values without parts: numbers, dates, patterns, types from annotations, paths."""

from __future__ import annotations

import datetime
import decimal
import fractions
import functools
import logging
import operator
import random
import re
import struct
import types
import typing
import uuid
import zoneinfo
from collections import Counter, OrderedDict, defaultdict, deque
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from operator_lib.trace.keys import paths

if TYPE_CHECKING:
    from operator_lib.trace.keys.contents import Contents, Rule


def _complex(c: Contents, value: complex) -> None:
    c.out.append(b"c" + struct.pack(">dd", value.real, value.imag))


def _view(c: Contents, value: memoryview) -> None:
    c.text(b"v", f"{value.format}{value.shape}")
    c.raw(b"", value.tobytes())


def _moment(c: Contents, value: Any) -> None:
    """With its zone, and which of the two it is where clocks are set back."""
    c.text(b"t", f"{type(value).__name__} {value.replace(tzinfo=None).isoformat()} {value.fold}")
    c.write(value.tzinfo)


def _said(tag: bytes) -> Rule:
    def write(c: Contents, value: Any) -> None:
        c.text(tag, repr(value))

    return write


def _pattern(c: Contents, value: re.Pattern[Any]) -> None:
    c.out.append(b"r%d" % value.flags)
    c.write(value.pattern)


def _slice(c: Contents, value: slice) -> None:
    c.items(b":", (value.start, value.stop, value.step), 3)


def _logger(c: Contents, value: logging.Logger) -> None:
    c.text(b"logger", value.name)


def _deque(c: Contents, value: deque[Any]) -> None:
    c.write(value.maxlen)
    c.inside(value, lambda c, v: c.items(b"Q", v, len(v)))


def _mapping(tag: bytes) -> Rule:
    def write(c: Contents, value: Any) -> None:
        c.inside(value, lambda c, v: c.pairs(tag, v.items(), len(v)))

    return write


def _default(c: Contents, value: defaultdict[Any, Any]) -> None:
    c.write(value.default_factory)
    _mapping(b"DD")(c, value)


def _random(c: Contents, value: random.Random) -> None:
    c.write(value.getstate())


def _reduced(c: Contents, value: Any) -> None:
    c.write(value.__reduce__())


def _alias(c: Contents, value: Any) -> None:
    c.out.append(b"a")
    c.write(value.__origin__)
    c.write(value.__args__)


def _union(c: Contents, value: Any) -> None:
    c.out.append(b"|")
    c.write(value.__args__)


def _path(c: Contents, value: Path) -> None:
    c.text(b"P", str(value))
    if c.skim:
        return
    try:
        if c.paths is None:
            c.text(b"", paths.content(value))
        else:
            c.paths[str(value)] = paths.content(value)
    except paths.TooMany as error:
        c.cannot(value, str(error))


class _Named(typing.NamedTuple):
    a: None


RULES: dict[type, Rule] = {
    complex: _complex,
    bytearray: lambda c, v: c.raw(b"ba", bytes(v)),
    memoryview: _view,
    datetime.datetime: _moment,
    datetime.time: _moment,
    datetime.date: _said(b"date"),
    datetime.timedelta: _said(b"delta"),
    datetime.timezone: _said(b"zone"),
    zoneinfo.ZoneInfo: lambda c, v: c.text(b"zone", repr(v)) if v.key else c.cannot(v),
    decimal.Decimal: _said(b"decimal"),
    fractions.Fraction: _said(b"fraction"),
    uuid.UUID: lambda c, v: c.text(b"uuid", str(v)),
    range: _said(b"range"),
    slice: _slice,
    type(...): lambda c, v: c.out.append(b"..."),
    type(NotImplemented): lambda c, v: c.out.append(b"!"),
    re.Pattern: _pattern,
    logging.Logger: _logger,
    logging.RootLogger: _logger,
    deque: _deque,
    OrderedDict: _mapping(b"OD"),
    Counter: _mapping(b"CD"),
    defaultdict: _default,
    types.MappingProxyType: _mapping(b"MP"),
    random.Random: _random,
    types.GenericAlias: _alias,
    types.UnionType: _union,
    typing.TypeVar: _said(b"var"),
    types.SimpleNamespace: lambda c, v: c.inside(v, lambda c, v: c.attributes(v)),
    struct.Struct: lambda c, v: c.text(b"struct", v.format),
    type(vars(_Named)["a"]): lambda c, v: c.text(b"tg", str(v.__reduce__()[1][0])),
    staticmethod: lambda c, v: c.write(v.__func__),
    classmethod: lambda c, v: c.write(v.__func__),
    property: lambda c, v: c.items(b"prop", (v.fget, v.fset, v.fdel), 3),
    type(functools.lru_cache(repr)): lambda c, v: c.write(v.__wrapped__),
    operator.attrgetter: _reduced,
    operator.itemgetter: _reduced,
    operator.methodcaller: _reduced,
    types.MethodDescriptorType: _said(b"md"),
    types.WrapperDescriptorType: _said(b"wd"),
    types.ClassMethodDescriptorType: _said(b"cd"),
}


def find(kind: type) -> Rule | None:
    """The rule for a class that is none of these but derived from one, or one of `typing`."""
    if issubclass(kind, Path):
        return _path
    if issubclass(kind, PurePath):
        return lambda c, v: c.text(b"pure" + type(v).__name__.encode(), str(v))
    return _typing if kind.__module__ == "typing" and kind is not typing.TypeVar else None


def _typing(c: Contents, value: Any) -> None:
    arguments = getattr(value, "__args__", None)
    c.text(b"a", repr(value))
    if isinstance(arguments, tuple):
        c.items(b"", arguments, len(arguments))
