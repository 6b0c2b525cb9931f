"""Messages between a worker and one of its nodes: a head of JSON and some bytes, over one connection.

Both ends say something every few seconds, so that each of them notices when the other one is gone without a word. The
node is the less patient one: when the worker gives up on a node and starts its runs elsewhere, they have ended there.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
from typing import Any

# Seconds between two signs of life; after which silence means that the worker, or the node, is gone.
BEAT, WORKER_SILENT, NODE_SILENT = 2.0, 10.0, 15.0
# Bytes of a file that travel in one message, and that wait to be sent before whoever sends them waits.
PIECE, WAITING = 1 << 20, 8 << 20
_FRAME = struct.Struct("<II")

Message = tuple[dict[str, Any], bytes]


class Link:
    """One end of it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, patience: float) -> None:
        self._reader = reader
        self._writer = writer
        self._patience = patience
        writer.transport.set_write_buffer_limits(high=WAITING)
        self._beating = asyncio.create_task(self._beat())

    def send(self, head: dict[str, Any], body: bytes | memoryview = b"") -> None:
        """Say something; what the other end does not hear because it is gone is noticed by `receive`."""
        if self._writer.is_closing():
            return
        about = json.dumps(head).encode()
        self._writer.write(_FRAME.pack(len(about), len(body)) + about)
        if body:
            self._writer.write(body)

    async def room(self) -> None:
        """Wait while much is on its way."""
        with contextlib.suppress(OSError):
            await self._writer.drain()

    async def receive(self) -> Message:
        """The next message.

        Raises:
            EOFError: the other end is gone.
        """
        try:
            while True:
                async with asyncio.timeout(self._patience):
                    about, size = _FRAME.unpack(await self._reader.readexactly(_FRAME.size))
                    head = await self._reader.readexactly(about)
                    body = await self._reader.readexactly(size) if size else b""
                if about > len(b"{}"):
                    return json.loads(head), body
        except TimeoutError:
            raise EOFError(f"it has said nothing for {self._patience:g} s") from None
        except (OSError, asyncio.IncompleteReadError):
            raise EOFError("the connection to it broke") from None

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            self.send({})

    async def flush(self, seconds: float) -> None:
        """Hang up once everything is sent."""
        self._beating.cancel()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(seconds):
                self._writer.close()
                await self._writer.wait_closed()

    def close(self) -> None:
        """Hang up."""
        self._beating.cancel()
        self._writer.transport.abort()
