"""The outer shape of every encoded value: one flat frame that describes itself (layout: README.md in this
folder).
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from operator_lib.errors import SerializationError

Buffer = bytes | memoryview

MAGIC = b"OPL\x01"
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"

_START = struct.Struct("<4sI")
_PLAIN_HEAD = f'{{"codec":"json","python":"{PYTHON}","body":'.encode()
_PLAIN_AT = _START.size + len(_PLAIN_HEAD)
_ZEROS = (b"", b"\0", b"\0" * 2, b"\0" * 3, b"\0" * 4, b"\0" * 5, b"\0" * 6, b"\0" * 7)


@dataclass(frozen=True, slots=True)
class Frame:
    """What a frame holds. ``body`` and ``buffers`` are views into the bytes it was read from."""

    codec: str
    python: str
    cloudpickle: str
    tagged: bool
    body: memoryview
    buffers: tuple[memoryview, ...]


def pack_plain(body: bytes) -> bytes:
    """The frame of a plain JSON body, without tags and buffers: the hot path."""
    header = b"%b%d}" % (_PLAIN_HEAD, len(body))
    return _START.pack(MAGIC, len(header)) + header + body


def plain_body(data: bytes) -> bytes | None:
    """The body of a frame that `pack_plain` made under this Python version; None for any other frame."""
    if not data.startswith(_PLAIN_HEAD, 8):
        return None
    end = 8 + int.from_bytes(data[4:8], "little")
    digits = data[_PLAIN_AT : end - 1]
    if data[:4] != MAGIC or not digits.isdigit() or data[end - 1 : end] != b"}":
        return None
    body = data[end:]
    return body if len(digits) < 20 and int(digits) == len(body) else None


def pack(
    codec: str, body: Buffer, buffers: Sequence[Buffer] = (), *, tagged: bool = False, cloudpickle: str = ""
) -> list[Buffer]:
    """The segments of a frame in order; joined they are the frame. Buffers are not copied."""
    header: dict[str, Any] = {"codec": codec}
    if tagged:
        header["tagged"] = True
    header["python"] = PYTHON
    if cloudpickle:
        header["cloudpickle"] = cloudpickle
    header["body"] = len(body)
    if buffers:
        header["buffers"] = [len(buffer) for buffer in buffers]
    text = json.dumps(header, separators=(",", ":")).encode()
    segments: list[Buffer] = [_START.pack(MAGIC, len(text)) + text, body]
    position = _START.size + len(text) + len(body)
    for buffer in buffers:
        gap = -position % 8
        if gap:
            segments.append(_ZEROS[gap])
        segments.append(buffer)
        position += gap + len(buffer)
    return segments


def parse(data: Buffer | bytearray) -> Frame:
    """Take a frame apart; every length is checked against what is there. Raises SerializationError."""
    view = memoryview(data)
    if view.format != "B" or view.ndim != 1:
        view = view.cast("B")
    if len(view) < _START.size:
        raise SerializationError(f"not a frame: {len(view)} bytes are too few")
    magic, length = _START.unpack(view[: _START.size])
    if magic != MAGIC:
        raise SerializationError(_wrong_magic(bytes(magic)))
    start = _START.size + length
    if start > len(view):
        raise SerializationError(f"cut off frame: its header has {length} bytes, {len(view) - 8} are there")
    header = _header(bytes(view[_START.size : start]))
    body_end = start + header["body"]
    position, spans = body_end, list[tuple[int, int]]()
    for size in header["buffers"]:
        position += -position % 8
        spans.append((position, position + size))
        position += size
    if position != len(view):
        raise SerializationError(f"damaged frame: {position} bytes are declared, {len(view)} are there")
    return Frame(
        codec=header["codec"],
        python=header["python"],
        cloudpickle=header["cloudpickle"],
        tagged=header["tagged"],
        body=view[start:body_end],
        buffers=tuple(view[first:last] for first, last in spans),
    )


def _wrong_magic(magic: bytes) -> str:
    if magic[:3] == MAGIC[:3]:
        known = MAGIC[3]
        return f"the frame has format {magic[3]}, this side reads format {known}; update operator_lib"
    return f"not a frame: it starts with {magic!r}"


def _header(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SerializationError("damaged frame: its header is not JSON") from error
    if type(header) is not dict:
        raise SerializationError("damaged frame: its header is not a JSON object")
    found = cast("dict[str, Any]", header)
    full: dict[str, Any] = {"cloudpickle": "", "tagged": False, "buffers": [], **found}
    kinds = {"codec": str, "python": str, "cloudpickle": str, "tagged": bool, "body": int, "buffers": list}
    for key, kind in kinds.items():
        if type(full.get(key)) is not kind:
            raise SerializationError(f"damaged frame: {key!r} of its header is missing or has the wrong type")
    if full["body"] < 0 or any(type(size) is not int or size < 0 for size in full["buffers"]):
        raise SerializationError("damaged frame: a length in its header is not a natural number")
    return full
