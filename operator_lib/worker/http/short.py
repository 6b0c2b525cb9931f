"""The short way of a call over HTTP: read, checked, asked and answered where its bytes arrive.

Most of the time of a small call went into what a web server does for every kind of request: a task, an event, messages
between its layers. Here whatever is ordinary, a POST with JSON to a serving that has a replica, is passed on at once.
All else takes the long way (`calling.Call`): from its first byte on, or, when the replica answers anything but a small
value, with its first answer.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from operator_lib.errors import QueueFull
from operator_lib.wire.proto.line_pb2 import Asked, Told
from operator_lib.worker.http.begun import BEGUN, Begun
from operator_lib.worker.http.body import parse
from operator_lib.worker.http.errors import Refusal
from operator_lib.worker.http.find import methods
from operator_lib.worker.http.line import LineLost

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker
    from operator_lib.worker.http.guard import Guard
    from operator_lib.worker.http.ordinary import Heads


class Short(HttpToolsProtocol):
    """One connection. Requests follow one another; the next one is read when the last one is answered."""

    def __init__(self, worker: Worker, guard: Guard, heads: Heads, **of_the_server: Any) -> None:
        super().__init__(**of_the_server)
        self._worker = worker
        self._guard = guard
        self._heads = heads
        self._between = True  # of two messages of the long way
        self._begun: Begun | None = None
        self._after = b""  # came while a call was going on
        self._last = False
        self._used = 0.0  # when the short way was taken last

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
        if not (idle and self._begin(data)):
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

    def timeout_keep_alive_handler(self) -> None:
        """Nothing has come for a while, unless it took the short way, where no clock is set for each request."""
        last = self._used if self._begun is None else time.monotonic()
        left = last + self.timeout_keep_alive - time.monotonic()
        if left > 0 and not self.transport.is_closing():
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def _begin(self, data: bytes) -> bool:
        """Ask a replica for the call; False when it is not an ordinary one, and nothing was done."""
        asks = self._heads.ordinary(data)
        if asks is None or asks.serving.version is None:
            return False
        worker, name, method = self._worker, asks.name, asks.method
        arguments = methods(asks.serving.version).get(method)
        place = worker.lines.at_hand(asks.serving)
        if arguments is None or place is None:
            return False
        body = data[asks.body :] or b"{}"
        try:
            arguments.check(parse(body))
            worker.lines.enter(name)
        except (Refusal, QueueFull):
            return False
        replica, line = place
        id, since = line.new_id(), time.monotonic()
        request_id = self._guard.request_id(asks.request_id)
        begun = Begun(worker.lines, replica, line, id, name, method, request_id, since, data)
        line.calls += 1
        asked = Asked(id=id, name=method, payload=body, request_id=request_id.decode("latin-1"))
        try:
            line.hear(asked, self._told)
        except LineLost:
            begun.over()
            return False
        self._begun = begun
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
        if self._after and not self.transport.is_closing():  # nobody would hear the answer
            data, self._after = self._after, b""
            self.flow.resume_reading()
            self.data_received(data)

    def _answer(self, begun: Begun, payload: bytes) -> None:
        start = self._heads.answer(self.server_state.default_headers)
        rest = b"%d\r\nx-request-id: %b\r\n\r\n" % (len(payload), begun.request_id)
        self.transport.write(start + rest + payload)
        self._used = now = time.monotonic()
        metrics = self._worker.metrics
        metrics.requested("POST", 200)
        metrics.called(begun.name, begun.method, 200, now - begun.since)
        if self._last:
            self.transport.close()
        elif self.timeout_keep_alive_task is None:
            self.on_response_complete()
