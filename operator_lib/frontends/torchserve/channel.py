"""Messages between a node and the processes of its workers: a socket, each message after its length.

A small message is one system call on either side: waiting for it, its end and its contents come together.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time

from operator_lib.frontends.torchserve.worker import Late

_LENGTH = struct.Struct("<Q")
_TIME = struct.Struct("@ll")  # seconds and microseconds
# Bytes of a message that the socket takes at once, whether or not the other end reads; and those read in one go.
_AT_ONCE = 1 << 16


class Channel:
    """One end."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._limited = False
        self._heard = bytearray()  # of the message that is coming

    def send(self, message: bytes, seconds: float | None = None) -> None:
        """Hand it over.

        Args:
            seconds: to wait where the other end does not read; None: for ever.

        Raises:
            Late: it did not read in time, and the channel is of no more use. OSError: it is gone.
        """
        if len(message) < _AT_ONCE:
            self._socket.sendall(_LENGTH.pack(len(message)) + message)
            return
        self._limit(socket.SO_SNDTIMEO, seconds)
        try:
            self._socket.sendall(_LENGTH.pack(len(message)))
            self._socket.sendall(message)
        except BlockingIOError:
            raise Late from None

    def receive(self, seconds: float | None = None) -> bytearray:
        """The next message.

        Args:
            seconds: to wait for it; None: for ever.

        Raises:
            Late: it has not come, and may be waited for again. EOFError, OSError: the other end is gone; EOFError when
                it had read all that was sent.
        """
        end = None if seconds is None else time.monotonic() + seconds
        heard = self._heard
        missing = _AT_ONCE
        while True:
            if len(heard) >= _LENGTH.size:
                missing = _LENGTH.size + _LENGTH.unpack_from(heard)[0] - len(heard)
                if not missing:
                    self._heard = bytearray()
                    del heard[: _LENGTH.size]
                    return heard
            heard += self._read(min(max(missing, _AT_ONCE), 16 * _AT_ONCE), end)

    def _read(self, most: int, end: float | None) -> bytes:
        if end is not None or self._limited:
            self._limit(socket.SO_RCVTIMEO, None if end is None else end - time.monotonic())
            self._limited = end is not None
        try:
            found = self._socket.recv(most)
        except BlockingIOError:
            raise Late from None
        if not found:
            raise EOFError
        return found

    def _limit(self, what: int, seconds: float | None) -> None:
        """The system keeps the time: no call of its own to wait, as a time-out of Python's would be."""
        left = 0 if seconds is None else max(1, int(1e6 * seconds))  # 0 is for ever
        self._socket.setsockopt(socket.SOL_SOCKET, what, _TIME.pack(*divmod(left, 10**6)))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()
