"""What a replica told, as an HTTP response: a value, an error, a stream of items."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

from starlette.responses import Response

from operator_lib.errors import NotReady, OperatorTimeout
from operator_lib.wire.proto.line_pb2 import Asked, Told
from operator_lib.worker.http.arguments import Arguments
from operator_lib.worker.http.errors import error_response, status_of
from operator_lib.worker.http.exchange import Exchange
from operator_lib.worker.http.line import LineLost

Lost = Callable[[], Awaitable[Exception]]

LINES = "application/x-ndjson"
EVENTS = "text/event-stream"
# Seconds of silence after which a comment shows that the stream lives.
HEARTBEAT = 15.0
# Seconds after which a reader who takes nothing is given up.
STALLED = 300.0
JSON = (b"content-type", b"application/json")
# What callers accept who want JSON.
PLAIN = ("", "*/*", "application/json", "application/json, text/plain, */*")
_STREAMED = [(b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
_STATUSES = {"RequestError": 400, "OperatorTimeout": 504, "QueueFull": 429}


class Reply:
    """The response to one call."""

    def __init__(self, serving: str, method: str, known: Mapping[str, Arguments], scope: Any, send: Any) -> None:
        self.serving = serving
        self.method = method
        self.known = known
        self.status = 200
        self.begun = False
        self._scope = scope
        self._send = send

    def names(self) -> str:
        """The methods, in words."""
        return ", ".join(name or "(the object itself)" for name in self.known) or "none"

    async def told(self, told: Told, exchange: Exchange, lost: Lost) -> None:
        """Answer what the replica told; of a generator it was the first item. `lost` says why no more came."""
        if told.tell == Told.DONE:
            await self._value(told, exchange)
        elif told.tell == Told.FAILED:
            await self.refused(self._error(json.loads(await exchange.whole(told))))
        elif told.tell == Told.REFUSED:
            raise NotReady(f"{self.serving} is changing its version; try again")
        else:
            await self._stream(told, exchange, lost)

    async def refused(self, response: Response) -> None:
        """An error."""
        self.status, self.begun = response.status_code, True
        await response(self._scope, _unread, self._send)

    def _error(self, error: dict[str, Any]) -> Response:
        kind, phase = error["type"], error["phase"]
        if phase == "method":
            message = f"{self.serving} has no method {self.method!r}; its methods: {self.names()}"
            return error_response(404, "NotFound", message)
        status = 422 if phase == "arguments" else _STATUSES.get(kind, 500)
        headers = {"Retry-After": "1"} if status == 429 else None
        return error_response(status, kind, error["message"], {"traceback": error["traceback"]}, headers)

    async def _value(self, told: Told, exchange: Exchange) -> None:
        media = (b"content-type", told.media.encode()) if told.media else JSON
        if not told.more:
            length = (b"content-length", b"%d" % len(told.payload))
            await self._begin([media, length])
            await self._send({"type": "http.response.body", "body": told.payload})
            return
        await self._begin([media])
        await self._body(exchange.rest(told), exchange)

    async def _begin(self, headers: list[tuple[bytes, bytes]]) -> None:
        self.begun = True
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def _body(self, parts: AsyncGenerator[bytes], exchange: Exchange) -> None:
        """Part by part, none before the reader has taken most of the last one."""
        async for part in parts:
            async with asyncio.timeout(STALLED):
                await self._send({"type": "http.response.body", "body": part, "more_body": True})
        await self._send({"type": "http.response.body", "body": b""})

    async def _stream(self, told: Told, exchange: Exchange, lost: Lost) -> None:
        """Items, as events for who asks for them, else as lines."""
        events = EVENTS in _accepted(self._scope)
        media = f"{EVENTS}; charset=utf-8".encode() if events else LINES.encode()
        await self._begin([(b"content-type", media), *_STREAMED])
        items = _Items(told, exchange, lost)
        await self._body(items.events() if events else items.lines(), exchange)


class _Items:
    """The items of a generator, which runs no further than its reader."""

    def __init__(self, first: Told, exchange: Exchange, lost: Lost) -> None:
        self._first = first
        self._lost = lost
        self._exchange = exchange

    async def lines(self) -> AsyncGenerator[bytes]:
        """A line of JSON each; what the generator raises is the last line."""
        async for kind, payload in self._told(None):
            if kind == Told.ITEM:
                yield payload + b"\n"
            elif kind == Told.FAILED:
                yield b'{"error": ' + payload + b"}\n"

    async def events(self) -> AsyncGenerator[bytes]:
        """A message each; the last one is of the kind ``end`` or ``error``."""
        async for kind, payload in self._told(HEARTBEAT):
            if kind is None:
                yield b": still here\n\n"
            elif kind == Told.ITEM:
                yield b"data: " + payload + b"\n\n"
            else:
                name = b"error" if kind == Told.FAILED else b"end"
                yield b"event: " + name + b"\ndata: " + (payload or b"null") + b"\n\n"

    async def _told(self, patience: float | None) -> AsyncGenerator[tuple[int | None, bytes]]:
        """Everything that happens, silence included. Once the status is out, all that goes wrong is part of it."""
        told = self._first
        while True:
            try:
                payload = await self._exchange.whole(told)
                if told.tell != Told.ITEM:
                    yield told.tell, _shown(payload) if told.tell == Told.FAILED else payload
                    return
                yield Told.ITEM, payload
                coming = asyncio.ensure_future(self._exchange.ask(Asked(id=self._exchange.id, ask=Asked.NEXT)))
                while patience is not None and not (await asyncio.wait([coming], timeout=patience))[0]:
                    yield None, b""
                told = await coming
            except LineLost:
                yield Told.FAILED, _described(await self._lost())
                return
            except OperatorTimeout as late:
                yield Told.FAILED, _described(late)
                return


def _shown(payload: bytes) -> bytes:
    """The error of a generator, in the shape that all errors have."""
    error = json.loads(payload)
    details = {"traceback": error["traceback"]}
    return json.dumps({"type": error["type"], "message": error["message"], "details": details}).encode()


def _described(error: Exception) -> bytes:
    details = {"status": status_of(error)}
    return json.dumps({"type": type(error).__name__, "message": str(error), "details": details}).encode()


def _accepted(scope: Any) -> str:
    return ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"accept").lower()


async def _unread() -> Any:
    raise RuntimeError("an error is answered without reading on")
