"""The short way of a call over HTTP: read, checked, asked and answered where its bytes arrive.

Most of the time of a small call went into what a web server does for every kind of request: a task, an event, messages
between its layers. Here whatever is ordinary, a POST with JSON to a serving that has a replica, is passed on at once.
All else takes the long way (`calling.Call`): from its first byte on, or, when the replica answers anything but a small
value, with its first answer.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from operator_lib.errors import QueueFull
from operator_lib.wire.proto.line_pb2 import Asked, Told
from operator_lib.worker.http.answering import JSON, PLAIN
from operator_lib.worker.http.begun import BEGUN, Begun
from operator_lib.worker.http.body import MEDIA, parse
from operator_lib.worker.http.errors import Refusal
from operator_lib.worker.http.find import methods
from operator_lib.worker.http.head import Head
from operator_lib.worker.http.line import LineLost
from operator_lib.worker.http.servings import PREFIX

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker
    from operator_lib.worker.http.guard import Guard

_START = b"POST " + PREFIX.encode()
# Headers that ask for something out of the ordinary.
_SPECIAL = frozenset({b"expect", b"origin", b"transfer-encoding", b"upgrade", b"content-encoding", b"traceparent"})


class _Reading:
    """One message, as the parser finds it."""

    __slots__ = ("body", "headers", "messages", "url", "whole")

    def __init__(self) -> None:
        self.messages = 0
        self.whole = False

    def on_message_begin(self) -> None:
        self.messages += 1
        self.whole = False
        self.url = self.body = b""
        self.headers: list[tuple[bytes, bytes]] = []

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body = self.body + body if self.body else body

    def on_message_complete(self) -> None:
        self.whole = True


class Short(HttpToolsProtocol):
    """One connection. Requests follow one another; the next one is read when the last one is answered."""

    def __init__(self, worker: Worker, guard: Guard, **of_the_server: Any) -> None:
        super().__init__(**of_the_server)
        self._worker = worker
        self._guard = guard
        self._between = True  # of two messages of the long way
        self._begun: Begun | None = None
        self._after = b""  # came while a call was going on
        self._last = False
        self._parser: Any = None
        self._reading = _Reading()

    def on_message_begin(self) -> None:
        self._between = False
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._between = True
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        if self._begun is not None:
            self._after += data
            self.flow.pause_reading()
            return
        idle = self._between and (self.cycle is None or self.cycle.response_complete)
        if not (idle and data.startswith(_START) and self._begin(data)):
            super().data_received(data)

    def shutdown(self) -> None:
        if self._begun is None:
            super().shutdown()
        else:
            self._last = True

    def connection_lost(self, exc: Exception | None) -> None:
        begun, self._begun = self._begun, None
        if begun is not None:
            begun.over()
            self._worker.metrics.called(begun.name, begun.method, 499, time.monotonic() - begun.since)
        super().connection_lost(exc)

    def _read(self, data: bytes) -> _Reading | None:
        """The request, when these bytes are one and nothing but one."""
        parser, reading = self._parser, self._reading
        if parser is None:
            reading = self._reading = _Reading()
            parser = self._parser = httptools.HttpRequestParser(reading)
        reading.messages = 0
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._parser = None
            return None
        if reading.whole and reading.messages == 1:
            return reading if parser.get_http_version() == "1.1" else None
        self._parser = None  # it is in the middle of something
        return None

    def _begin(self, data: bytes) -> bool:
        """Ask a replica for the call; False when it is not an ordinary one, and nothing was done."""
        read = self._read(data)
        if read is None or b"?" in read.url or b"%" in read.url or b"#" in read.url:
            return False
        if any(name in _SPECIAL or (name == b"connection" and value != b"keep-alive") for name, value in read.headers):
            return False
        worker, guard = self._worker, self._guard
        head = Head("POST", read.url.decode("latin-1"), read.headers)
        name, _, method = head.path[len(PREFIX) :].partition("/")
        serving = worker.servings.by_name.get(name)
        if serving is None or serving.version is None or worker.config.access_log or worker.tracing.on:
            return False
        arguments = methods(serving.version).get(method)
        if arguments is None or head.media not in MEDIA or head.accept not in PLAIN or guard.refusal(head) is not None:
            return False
        place = worker.lines.at_hand(serving)
        if place is None:
            return False
        try:
            arguments.check(parse(read.body or b"{}"))
            worker.lines.enter(name)
        except (Refusal, QueueFull):
            return False
        replica, line = place
        id, since = line.new_id(), time.monotonic()
        request_id = guard.request_id(head)
        begun = Begun(worker.lines, replica, line, id, name, method, request_id, since, data)
        line.calls += 1
        asked = Asked(id=id, name=method, payload=read.body or b"{}", request_id=request_id.decode("latin-1"))
        try:
            line.hear(asked, self._told)
        except LineLost:
            begun.over()
            return False
        self._begun = begun
        self._unset_keepalive_if_required()
        return True

    def _told(self, told: Told | None) -> None:
        """The replica has answered, or is lost."""
        begun, self._begun = self._begun, None
        if begun is None:
            return
        begun.told = told
        if told is not None and told.tell == Told.DONE and not (told.more or told.media):
            begun.over()
            self._answer(begun, told.payload)
        else:
            super().data_received(begun.data)
            self.scope[BEGUN] = begun  # type: ignore[typeddict-unknown-key]  # its task has not started yet
            if self._last:
                super().shutdown()
        if self._after:
            data, self._after = self._after, b""
            self.flow.resume_reading()
            self.data_received(data)

    def _answer(self, begun: Begun, payload: bytes) -> None:
        default = b"".join([b"%b: %b\r\n" % header for header in self.server_state.default_headers])
        head = b"HTTP/1.1 200 OK\r\n%b%b: %b\r\ncontent-length: %d\r\nx-request-id: %b\r\n\r\n"
        self.transport.write(head % (default, *JSON, len(payload), begun.request_id) + payload)
        metrics = self._worker.metrics
        metrics.requested("POST", 200)
        metrics.called(begun.name, begun.method, 200, time.monotonic() - begun.since)
        if self._last:
            self.transport.close()
        else:
            self.on_response_complete()
