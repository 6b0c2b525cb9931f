"""The worker's end of the socket to a replica: see protos/line.proto. Many calls share it, in packs when they wait."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import struct
from collections.abc import Callable
from typing import Any, cast

from operator_lib.wire import stream
from operator_lib.wire.proto.line_pb2 import Asked, Told

_LENGTH = struct.Struct("<I")


LOST = "the connection to the replica was lost"
Hear = Callable[[Told | None], object]


class LineLost(ConnectionError):
    """The replica is gone, or its connection."""


class Line(asyncio.Protocol):
    """One connection; `ask` is answered with one message."""

    def __init__(self, token: str, on_lost: Callable[[], object]) -> None:
        self.session = secrets.randbits(63) | 1  # what the replica notes its calls under
        self._greeting = stream.greeting(stream.WEB, self.session, token)
        self._on_lost = on_lost
        self._transport: Any = None
        self._loop = asyncio.get_running_loop()
        self._ids = itertools.count(1)
        self._waiting: dict[int, Hear] = {}
        self._outbox: list[bytes] = []
        self._heard = bytearray()
        self._room = asyncio.Event()
        self._room.set()
        self.lost = False
        self.calls = 0  # that have not come to their end

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._greeting)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._on_lost()
        self._room.set()
        waiting, self._waiting = self._waiting, {}
        for hear in waiting.values():
            hear(None)

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def data_received(self, data: bytes) -> None:
        heard = self._heard
        heard += data
        start, length_size = 0, _LENGTH.size
        while len(heard) - start >= length_size:
            end = start + length_size + _LENGTH.unpack_from(heard, start)[0]
            if end > len(heard):
                break
            told = Told.FromString(bytes(heard[start + length_size : end]))
            start = end
            hear = self._waiting.pop(told.id, None)
            if hear is not None:
                hear(told)
        del heard[:start]

    def new_id(self) -> int:
        """For a call."""
        return next(self._ids)

    def send(self, asked: Asked) -> None:
        """Say something that is not answered. It travels with whatever else is said in this turn of the loop."""
        if self.lost:
            raise LineLost(LOST)
        if not self._outbox:
            self._loop.call_soon(self._flush)
        data = asked.SerializeToString()
        self._outbox += (_LENGTH.pack(len(data)), data)

    def _flush(self) -> None:
        if not self.lost:
            self._transport.write(b"".join(self._outbox))
        self._outbox.clear()

    def ask(self, asked: Asked) -> asyncio.Future[Told]:
        """Say something, and get the answer. LineLost when the replica goes away before."""
        future: asyncio.Future[Told] = self._loop.create_future()

        def hear(told: Told | None) -> None:
            if future.done():
                return
            if told is not None:
                future.set_result(told)
            else:
                future.set_exception(LineLost(LOST))

        self.hear(asked, hear)
        return future

    def hear(self, asked: Asked, hear: Hear) -> None:
        """Say something; `hear` gets the answer, None when the replica goes away before."""
        self.send(asked)
        self._waiting[asked.id] = hear

    async def room(self) -> None:
        """Wait until the replica has read most of what was sent."""
        await self._room.wait()

    def cancel(self, id: int) -> None:
        """Nobody waits for the call any more."""
        self._waiting.pop(id, None)
        with contextlib.suppress(LineLost):
            self.send(Asked(id=id, ask=Asked.CANCEL))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
