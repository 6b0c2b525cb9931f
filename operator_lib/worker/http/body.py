"""The JSON of a request, read strictly: one value, in UTF-8, of bounded size and depth, that means the same to all."""

from __future__ import annotations

import json
import math
from typing import Any

from starlette.types import Receive

from operator_lib.errors import SerializationError
from operator_lib.wire import plain
from operator_lib.worker.http.errors import Refusal
from operator_lib.worker.http.head import Head
from operator_lib.worker.http.incoming import message

# Bytes of a request's body.
BODY_LIMIT = 8 << 20
# What `curl -d` says it sends when it is not told otherwise is let in: nobody else's JSON arrives under that name.
MEDIA = ("application/json", "application/x-www-form-urlencoded", "")


async def read_json(head: Head, receive: Receive, empty: bytes = b"{}") -> tuple[Any, bytes]:
    """The value of the body, and its text; nothing at all is ``{}``, as text too unless `empty` says otherwise.

    Raises:
        Refusal: 400 with the position, 413, 415.
    """
    _check_type(head.media)
    check_length(head.length, BODY_LIMIT)
    data = await _read(receive)
    return parse(data or b"{}"), data or empty


def is_json(header: str) -> bool:
    """Whether a ``Content-Type`` says so, or nothing."""
    if header in MEDIA:
        return True
    media = header.partition(";")[0].strip().lower()
    return media in MEDIA or (media.startswith("application/") and media.endswith("+json"))


def _check_type(header: str) -> None:
    if header in MEDIA:
        return
    media, *parameters = (part.strip().lower() for part in header.split(";"))
    if not is_json(media):
        raise Refusal(415, "UnsupportedMediaType", f"the body must be application/json, not {media!r:.80}")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(' "') not in ("utf-8", "utf8"):
            raise Refusal(415, "UnsupportedMediaType", f"JSON travels in UTF-8, not in {value.strip()!r:.80}")


def check_length(declared: str, limit: int) -> None:
    """Refuse a body whose ``Content-Length`` says that it is too large. Raises Refusal (413)."""
    if declared.isdigit() and (len(declared) > 19 or int(declared) > limit):
        raise too_large(limit)


async def _read(receive: Receive) -> bytes:
    data, more = await message(receive)
    if not more and len(data) <= BODY_LIMIT:
        return data
    whole = bytearray(data)
    while True:
        if len(whole) > BODY_LIMIT:
            raise too_large(BODY_LIMIT)
        if not more:
            return bytes(whole)
        data, more = await message(receive)
        whole += data


def too_large(limit: int) -> Refusal:
    """The refusal of a body that is."""
    message = f"the body is over {limit >> 20} MiB; use the Python client for large values"
    return Refusal(413, "ContentTooLarge", message, {"limit": limit})


def parse(data: bytes) -> Any:
    """The JSON value. Raises Refusal (400) where two readers might take it differently, or none at all."""
    try:
        text = data.decode("utf-8")
        try:
            value, end = _SCAN(text, 0)
        except StopIteration:
            value, end = None, -1
        if end != len(text):  # blanks around it, or no JSON
            value = _DECODER.decode(text)
        if text.count("[") + text.count("{") > plain.MAX_DEPTH:
            plain.check_depth(value, plain.MAX_DEPTH)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as problem:
        place = {"line": problem.lineno, "column": problem.colno, "position": problem.pos}
        message = f"the body is not JSON: {problem.msg} at line {problem.lineno}, column {problem.colno}"
        raise Refusal(400, "InvalidJSON", message, place) from None
    except UnicodeDecodeError as problem:
        message = f"the body is not UTF-8: byte {problem.start} is 0x{data[problem.start]:02x}"
        raise Refusal(400, "InvalidJSON", message, {"position": problem.start}) from None
    except UnicodeEncodeError:
        message = "the body has half of a surrogate pair, which is no character"
        raise Refusal(400, "InvalidJSON", message) from None
    except (RecursionError, SerializationError):
        message = f"the body is nested deeper than {plain.MAX_DEPTH} levels"
        raise Refusal(400, "InvalidJSON", message) from None
    except ValueError as problem:
        raise Refusal(400, "InvalidJSON", f"the body is not JSON: {problem}") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))
        raise ValueError(f"the key {twice!r:.80} is there twice in one object")
    return made


def _constant(text: str) -> Any:
    raise ValueError(f'{text} is no JSON number; where a float is expected, send the text "{text}"')


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text:.40} is too large")
    return value


_DECODER: Any = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
_SCAN = _DECODER.scan_once
