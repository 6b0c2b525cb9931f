"""Values that JSON holds exactly as they are: checked and encoded at the speed of the C encoder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from json import encoder as _json_encoder
from typing import Any, cast

from operator_lib.errors import SerializationError

MAX_DEPTH = 200

SCALARS = frozenset({str, int, float, bool, type(None)})
_CONTAINERS = frozenset({list, dict})
_PLAIN = SCALARS | _CONTAINERS
_STR_ONLY = frozenset({str})


def is_plain(value: Any, depth: int = MAX_DEPTH) -> bool:
    """Whether nothing but exact str, int, float, bool, None, list and dict with str keys is in there."""
    kind = type(value)
    if kind is dict:
        if not _STR_ONLY.issuperset(map(type, value)):
            return False
        items = value.values()
    elif kind is list:
        items = value
    else:
        return kind in SCALARS
    return are_plain(items, depth - 1)


def are_plain(items: Iterable[Any], depth: int = MAX_DEPTH) -> bool:
    """`is_plain` of every item; ``items`` is walked twice."""
    kinds = set(map(type, items))
    if kinds <= SCALARS:
        return True
    if depth <= 0 or not kinds <= _PLAIN:
        return False
    # A loop over the few containers is what this costs; the scalars among them were checked above, in C.
    for item in items:  # noqa: SIM110
        if type(item) in _CONTAINERS and not is_plain(item, depth):
            return False
    return True


def _refuse(value: Any) -> Any:
    raise TypeError(f"{type(value).__name__} is not plain JSON")


def _make_encoder() -> Callable[[Any], bytes]:
    # ensure_ascii=False and surrogatepass keep every str exactly, a written-out pair of surrogates included.
    make: Any = getattr(_json_encoder, "c_make_encoder", None)
    if make is None:
        slow = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))
        return lambda value: slow.encode(value).encode("utf-8", "surrogatepass")
    chunks: Any = make(None, _refuse, _json_encoder.encode_basestring, None, ":", ",", False, False, True)
    join = "".join
    return lambda value: join(chunks(value, 0)).encode("utf-8", "surrogatepass")


encode: Callable[[Any], bytes] = _make_encoder()
_dumps = json.JSONEncoder(check_circular=False, allow_nan=False).encode


def text(value: Any) -> bytes:
    """A plain value as others write it, in ASCII. Raises ValueError for NaN and the infinities."""
    return _dumps(value).encode("ascii")


_decoder = json.JSONDecoder()
_scan: Any = cast("Any", _decoder).scan_once


def decode(body: bytes) -> Any:
    """The JSON value of ``body``, nested at most `MAX_DEPTH` deep when it is long enough to be deeper."""
    value = parse(body)
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        check_depth(value, MAX_DEPTH)
    return value


def parse(body: bytes) -> Any:
    """The JSON value of ``body``. Raises SerializationError for anything that is not one JSON value."""
    try:
        text = body.decode("utf-8", "surrogatepass")
        try:
            value, end = _scan(text, 0)
        except StopIteration:
            value, end = None, -1
        return value if end == len(text) else _decoder.decode(text)
    except (ValueError, RecursionError, MemoryError) as error:
        raise SerializationError(f"damaged frame: its body is not JSON ({error})") from None


def check_depth(value: Any, limit: int) -> None:
    """Raises SerializationError when lists and dicts are nested deeper than ``limit``."""
    level: list[Any] = [value]
    for _ in range(limit):
        below: list[Any] = []
        for item in level:
            inner = cast("Mapping[str, Any]", item).values() if type(item) is dict else item
            if type(item) in _CONTAINERS and not SCALARS.issuperset(map(type, inner)):
                below.extend(child for child in inner if type(child) in _CONTAINERS)
        if not below:
            return
        level = below
    raise SerializationError(f"nested deeper than {limit} levels")
