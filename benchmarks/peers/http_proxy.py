"""The least that an HTTP call through two processes can cost: one hands bytes on, the other echoes them.

The first reads nothing of a request but where its body begins; the second does nothing at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Generator
from typing import cast

import uvloop

from benchmarks.peers.http_server import free_port

_LENGTH = struct.Struct("<I")


class _Framed(asyncio.Protocol):
    """Bodies, each after its length."""

    def __init__(self) -> None:
        self._heard = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def send(self, body: bytes) -> None:
        self.transport.write(_LENGTH.pack(len(body)) + body)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while len(self._heard) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._heard)[0]
            if len(self._heard) < end:
                break
            body = bytes(self._heard[_LENGTH.size : end])
            del self._heard[:end]
            self.take(body)

    def take(self, body: bytes) -> None:
        self.send(body)


class _Link(_Framed):
    """To the other process, which answers in the order in which it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: deque[asyncio.Transport] = deque()

    def take(self, body: bytes) -> None:
        caller = self.asked.popleft()
        if not caller.is_closing():
            caller.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))


class _Http(asyncio.Protocol):
    def __init__(self, link: _Link) -> None:
        self._link = link

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._link.asked.append(self._transport)
        self._link.send(data[data.index(b"\r\n\r\n") + 4 :])


async def _front(port: int, other: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    _, link = await loop.create_unix_connection(_Link, sock=other)
    server = await loop.create_server(lambda: _Http(link), "127.0.0.1", port)
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # until whoever has started this is gone
    server.close()


async def _back(other: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_unix_connection(_Framed, sock=other)
    while not transport.is_closing():
        await asyncio.sleep(0.2)


def main(port: int) -> None:
    """Both processes, until stdin ends."""
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        ours.close()
        uvloop.run(_back(theirs))
        os._exit(0)
    theirs.close()
    uvloop.run(_front(port, ours))


@contextlib.contextmanager
def running() -> Generator[int]:
    """Its port."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.peers.http_proxy", str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        yield port
        process.stdin.close()


if __name__ == "__main__":
    main(int(sys.argv[1]))
