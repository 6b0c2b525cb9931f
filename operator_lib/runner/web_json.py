"""Values as the JSON of an answer over HTTP: of bounded size, because it is made in memory, several times over."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, cast

from operator_lib.errors import SerializationError
from operator_lib.wire import codec, plain

# Bytes of one answer, or of one item of a generator.
LIMIT = 256 << 20
_WIDE = (str, bytes, bytearray)
_NARROW = plain.SCALARS - {str}


def text(value: Any, where: str) -> bytes:
    """The JSON of it.

    Raises:
        SerializationError: it has none, or too much. `where` says of what.
    """
    if type(value) not in _NARROW and (least := size(value)) > LIMIT:
        raise _too_much(least, where)
    written = _text(value, where)
    if len(written) > LIMIT:
        raise _too_much(len(written), where)
    return written


def _text(value: Any, where: str) -> bytes:
    if plain.is_plain(value):
        try:
            return plain.text(value)
        except ValueError:  # a number that JSON does not have
            pass
    return json.dumps(codec.to_json(value, where=where)).encode()


def size(value: Any, depth: int = plain.MAX_DEPTH) -> int:
    """Bytes of the texts, bytes and arrays in it: its JSON has about as many, or more."""
    if isinstance(value, _WIDE):
        return len(value)
    if isinstance(value, dict):
        return _sizes(cast("dict[Any, Any]", value).values(), depth)
    if isinstance(value, (list, tuple, set, frozenset)):
        return _sizes(cast("list[Any]", value), depth)
    found = getattr(value, "nbytes", 0)  # of arrays and tensors
    return found if isinstance(found, int) else 0


def _sizes(items: Iterable[Any], depth: int) -> int:
    if depth == 0 or _NARROW.issuperset(map(type, items)):
        return 0
    return sum(size(item, depth - 1) for item in items)


def _too_much(count: int, where: str) -> SerializationError:
    return SerializationError(
        f"{where} has {count >> 20:,} MiB, and JSON may have {LIMIT >> 20}: ask for bytes as application/octet-stream "
        "or an array as application/x-npy (the header Accept), yield it piece by piece, or call it from Python"
    )
