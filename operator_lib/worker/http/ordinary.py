"""Heads of requests that are in no way special: a client sends the same one again and again, and it is read once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import httptools

from operator_lib.worker.http.answering import JSON, PLAIN
from operator_lib.worker.http.body import MEDIA
from operator_lib.worker.http.head import Head
from operator_lib.worker.http.servings import PREFIX

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker
    from operator_lib.worker.http.guard import Guard
    from operator_lib.worker.serving import Serving

_START = b"POST " + PREFIX.encode()
_END = b"\r\n\r\n"
# Headers that ask for something out of the ordinary.
_SPECIAL = frozenset({b"expect", b"origin", b"transfer-encoding", b"upgrade", b"content-encoding", b"traceparent"})
# Heads that are kept, and the bytes of one.
MOST = 1024
LONGEST = 2048


@dataclass(frozen=True, slots=True)
class Ordinary:
    """A call with JSON of a serving, by somebody who may call it."""

    serving: Serving
    name: str
    method: str
    size: int
    """Bytes from the start of the request to the end of its body."""
    body: int
    """Where that begins."""
    request_id: bytes
    """What the caller calls it, if anything."""


class Heads:
    """Those that came lately. What a head asks for is allowed for as long as the serving is there."""

    def __init__(self, worker: Worker, guard: Guard) -> None:
        self._worker = worker
        self._guard = guard
        self._known: dict[bytes, Ordinary] = {}
        self._default: list[tuple[bytes, bytes]] | None = None
        self._answer = b""

    def ordinary(self, data: bytes) -> Ordinary | None:
        """What these bytes ask for, when they are one such call and nothing but that."""
        if not data.startswith(_START):
            return None
        body = data.find(_END) + len(_END)
        head = data[:body]
        found = self._known.get(head)
        if found is None:
            found = self._read(head)
            if found is None:
                return None
            if not found.request_id and body <= LONGEST:
                if len(self._known) >= MOST:
                    self._known.clear()
                self._known[head] = found
        there = self._worker.servings.by_name.get(found.name) is found.serving
        return found if there and len(data) == found.size else None

    def _read(self, data: bytes) -> Ordinary | None:
        reading = _Reading()
        parser = httptools.HttpRequestParser(reading)
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            return None
        url, headers, worker = reading.url, reading.headers, self._worker
        if reading.messages != 1 or not reading.headed or reading.more or parser.get_http_version() != "1.1":
            return None
        if b"?" in url or b"%" in url or b"#" in url or worker.config.access_log or worker.tracing.on:
            return None
        if any(name in _SPECIAL or (name == b"connection" and value != b"keep-alive") for name, value in headers):
            return None
        head = Head("POST", url.decode("latin-1"), headers)
        name, _, method = head.path[len(PREFIX) :].partition("/")
        serving = worker.servings.by_name.get(name)
        allowed = serving is not None and self._guard.refusal(head) is None
        if serving is None or not allowed or head.media not in MEDIA or head.accept not in PLAIN:
            return None
        size = len(data) + int(head.length or 0)
        return Ordinary(serving, name, method, size, len(data), head.request_id)

    def answer(self, default: list[tuple[bytes, bytes]]) -> bytes:
        """How an answer begins, up to the number of its bytes. `default` are the server's headers of this second."""
        if default is not self._default:
            lines = b"".join([b"%b: %b\r\n" % header for header in default])
            self._answer = b"HTTP/1.1 200 OK\r\n%b%b: %b\r\ncontent-length: " % (lines, *JSON)
            self._default = default
        return self._answer


class _Reading:
    """A head, as the parser finds it."""

    __slots__ = ("headed", "headers", "messages", "more", "url")

    def __init__(self) -> None:
        self.messages = 0
        self.headed = self.more = False
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []

    def on_message_begin(self) -> None:
        self.messages += 1

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.headed = True

    def on_body(self, body: bytes) -> None:
        self.more = True
