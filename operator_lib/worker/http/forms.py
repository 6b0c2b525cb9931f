"""``multipart/form-data`` read while it comes: where a field begins, its bytes, nothing kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from operator_lib.worker.http.errors import Refusal

# Fields of one form, and characters of a boundary (RFC 2046).
MOST = 100
BOUNDARY = 70


@dataclass(slots=True)
class Field:
    """A field begins. `file` is None for a field that is no file."""

    name: str
    media: str
    file: str | None


class Form:
    """Fed with pieces of a body; tells what they bring: a `Field`, or bytes of the last one.

    Raises (feed, end):
        Refusal: 400, this is no such body; 413, it has too many fields.
    """

    def __init__(self, content_type: str) -> None:
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if not 0 < len(boundary) <= BOUNDARY:
            raise _malformed(f"its boundary must have 1 to {BOUNDARY} characters")
        self._found: list[Field | bytes] = []
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""
        self._count = 0
        self._ended = False
        told: Any = {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_end": self._end,
        }
        self._parser = MultipartParser(boundary, told)

    def feed(self, data: bytes) -> list[Field | bytes]:
        """What this piece brings."""
        try:
            self._parser.write(data)
        except MultipartParseError as problem:
            raise _malformed(str(problem)) from None
        found, self._found = self._found, []
        return found

    def end(self) -> None:
        """There is no more."""
        if not self._ended:
            raise _malformed("it ends in the middle")

    def _begin(self) -> None:
        self._headers, self._name, self._value = {}, b"", b""
        self._count += 1
        if self._count > MOST:
            raise Refusal(413, "ContentTooLarge", f"the form has more than {MOST} fields", {"limit": MOST})

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if b"name" not in options:
            raise _malformed("a field has no name")
        file = options.get(b"filename")
        try:
            name = options[b"name"].decode()
            media = self._headers.get(b"content-type", b"").decode()
        except UnicodeDecodeError:
            raise _malformed("a name is not UTF-8") from None
        self._found.append(Field(name, media.lower(), file.decode("utf-8", "replace") if file is not None else None))

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._found.append(data[start:end])

    def _end(self) -> None:
        self._ended = True


def _malformed(why: str) -> Refusal:
    return Refusal(400, "InvalidForm", f"the body is not multipart/form-data: {why}")
