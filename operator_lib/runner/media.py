"""A value as the media type that an HTTP caller asks for: bytes, text, images, arrays as they are, not inside JSON."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

BYTES = "application/octet-stream"
ARRAY = "application/x-npy"
# How a file of the type begins.
_SIGNS: tuple[tuple[bytes, str], ...] = (
    (rb"\x89PNG\r\n\x1a\n", "image/png"),
    (rb"\xff\xd8\xff", "image/jpeg"),
    (rb"GIF8[79]a", "image/gif"),
    (rb"RIFF....WEBP", "image/webp"),
    (rb"RIFF....WAVE", "audio/wav"),
    (rb"ID3|\xff[\xfb\xf3\xf2]", "audio/mpeg"),
    (rb"OggS", "audio/ogg"),
    (rb"fLaC", "audio/flac"),
    (rb"....ftyp", "video/mp4"),
    (rb"%PDF-", "application/pdf"),
    (rb"PK\x03\x04", "application/zip"),
    (rb"\x93NUMPY", ARRAY),
)
_IMAGES = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/gif": "GIF"}

Forms = Iterator[tuple[str, Callable[[], bytes]]]


def media_form(value: Any, accept: str) -> tuple[bytes, str] | None:
    """The bytes and their type, where the caller likes one that the value has better than JSON; else None.

    Args:
        accept: an ``Accept`` header.

    >>> media_form(b"%PDF-1.7", "application/pdf")
    (b'%PDF-1.7', 'application/pdf')
    >>> media_form({"a": 1}, "image/png") is None
    True
    """
    wanted = ranges(accept)
    best, found = quality(wanted, "application/json"), None
    for media, make in _forms(value):
        liking = quality(wanted, media)
        if liking > best:
            best, found = liking, (media, make)
    return None if found is None else (found[1](), found[0])


def ranges(accept: str) -> dict[str, float]:
    """The media ranges of a header with their quality."""
    found: dict[str, float] = {}
    for part in accept.split(",")[:50]:
        media, *parameters = (word.strip().lower() for word in part.split(";"))
        given = next((word[2:] for word in parameters if word.startswith("q=")), "1")
        found[media] = float(given) if re.fullmatch(r"[01](\.\d{0,3})?", given) else 0.0
    return found


def quality(wanted: dict[str, float], media: str) -> float:
    """How much the caller likes a type: the most specific range decides."""
    kind = media.partition("/")[0]
    return next((wanted[key] for key in (media, f"{kind}/*", "*/*") if key in wanted), 0.0)


def _forms(value: Any) -> Forms:
    if isinstance(value, (bytes, bytearray, memoryview)):
        start = bytes(value[:16])
        for sign, media in _SIGNS:
            if re.match(sign, start, re.DOTALL):
                yield media, lambda: bytes(value)
        yield BYTES, lambda: bytes(value)
    elif isinstance(value, str):
        yield "text/plain", lambda: value.encode("utf-8", "replace")
    else:
        yield from _library(value)


def _library(value: Any) -> Forms:
    numpy: Any = sys.modules.get("numpy")
    images: Any = sys.modules.get("PIL.Image")
    if numpy is not None and isinstance(value, numpy.ndarray):
        if not value.dtype.hasobject:
            yield ARRAY, lambda: _written(lambda file: numpy.save(file, value, allow_pickle=False))
    elif images is not None and isinstance(value, images.Image):
        for media, name in _IMAGES.items():
            yield media, lambda name=name: _written(lambda file: _saved(value, file, name))


def _saved(image: Any, file: io.BytesIO, name: str) -> None:
    if name == "JPEG" and image.mode not in ("L", "RGB", "CMYK"):
        image = image.convert("RGB")
    image.save(file, format=name)


def _written(write: Callable[[io.BytesIO], object]) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()
