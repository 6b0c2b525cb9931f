"""The worker's end of the socket to a shim: what it says is heard, and when the worker lets go the shim ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from typing import Any, Protocol

from operator_lib.engine.process import Exit, ProcessSpec
from operator_lib.executors.base import Listener


class Told(Protocol):
    """Whoever is to know of it."""

    def send(self, data: bytes, /) -> object: ...


class Lease:
    """Until when the processes of this worker may go on, where others take over what a silent worker has.

    Each shim is told again and again, and ends its process when it is not. `renew` is called from any thread.
    """

    def __init__(self) -> None:
        self._until: float | None = None
        self._channels: set[Told] = set()
        self._lock = threading.Lock()

    def renew(self, until: float) -> None:
        """`until`: by `time.monotonic`."""
        with self._lock:
            self._until = until
            for channel in self._channels:
                self._tell(channel)

    def add(self, channel: Told) -> None:
        with self._lock:
            self._channels.add(channel)
            self._tell(channel)

    def remove(self, channel: Told) -> None:
        with self._lock:
            self._channels.discard(channel)

    def _tell(self, channel: Told) -> None:
        if self._until is not None:
            left = max(0.0, self._until - time.monotonic())
            with contextlib.suppress(OSError):
                channel.send(json.dumps({"lease": left}).encode() + b"\n")


# Of the worker that this process is.
LEASE = Lease()


class Leashed:
    """One shim and what is below it. See `operator_lib.executors.base.Process`."""

    def __init__(self, channel: socket.socket, listener: Listener) -> None:
        self.pid = 0
        self.gone = asyncio.Event()
        self._channel = channel
        self._listener = listener
        self._heard = b""
        channel.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(channel, self._hear)

    def stop(self, cause: str, grace: float) -> None:
        with contextlib.suppress(OSError):
            self._channel.send(json.dumps({"stop": cause, "grace": grace}).encode() + b"\n")

    def _hear(self) -> None:
        try:
            data = self._channel.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._hang_up()
            # The shim was killed, and nobody clears up below it but we.
            asyncio.ensure_future(self._clear_up()).add_done_callback(lambda _: self._end(Exit(stopped="shim")))
            return
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in lines:
            message: dict[str, Any] = json.loads(line)
            if "started" in message:
                self.pid = self._pid(message["started"])
                LEASE.add(self._channel)
            if "exit" in message:
                self._hang_up()
                self._end(Exit(**message["exit"]))
                return
            self._listener(message)

    def _pid(self, told: int) -> int:
        """What this machine calls the process that the shim calls `told`."""
        return told

    async def _clear_up(self) -> None:
        """The shim is gone without a word: end what it has left."""
        raise NotImplementedError

    def _hang_up(self) -> None:
        LEASE.remove(self._channel)
        self._loop.remove_reader(self._channel)
        self._channel.close()

    def _end(self, ended: Exit) -> None:
        self.gone.set()
        self._listener({"exit": ended})

    def forget(self) -> None:
        """Close this end, in a fork of the process that holds it."""
        self._channel.close()

    def cut(self) -> None:
        """Let go of the leash: the shim kills everything and ends."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_WR)


async def hand_over(channel: socket.socket, spec: ProcessSpec) -> None:
    """Send what must not lie on the disk."""
    channel.setblocking(False)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has died, which is heard of soon
        await asyncio.get_running_loop().sock_sendall(channel, spec.handed())
