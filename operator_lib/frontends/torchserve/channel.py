"""Messages between a node and the processes of its workers: a socket, each message after its length.

A small message is one system call on either side: waiting for it, its end and its contents come together.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time

from operator_lib.frontends.torchserve.pool import Late

_LENGTH = struct.Struct("<Q")
_TIME = struct.Struct("@ll")  # seconds and microseconds
# Bytes of a message that the socket takes at once, whether or not the other end reads; and those read in one go.
_AT_ONCE = 1 << 16


class Channel:
    """One end."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._limited = False

    def send(self, message: bytes) -> None:
        """Raises OSError when nobody is there any more."""
        if len(message) < _AT_ONCE:
            self._socket.sendall(_LENGTH.pack(len(message)) + message)
            return
        self._socket.sendall(_LENGTH.pack(len(message)))
        self._socket.sendall(message)

    def receive(self, seconds: float | None = None) -> bytes | bytearray:
        """The next message.

        Args:
            seconds: to wait for it; None: for ever.

        Raises:
            Late: it did not come in time, and the channel is of no more use. EOFError, OSError: the other end is gone.
        """
        end = None if seconds is None else time.monotonic() + seconds
        heard = self._read(_AT_ONCE, end)
        while len(heard) < _LENGTH.size:
            heard += self._read(_AT_ONCE, end)
        (length,) = _LENGTH.unpack_from(heard)
        if len(heard) == _LENGTH.size + length:
            return heard[_LENGTH.size :]
        message = bytearray(length)
        place = len(heard) - _LENGTH.size
        message[:place] = heard[_LENGTH.size :]
        while place < length:
            part = self._read(min(length - place, 16 * _AT_ONCE), end)
            message[place : place + len(part)] = part
            place += len(part)
        return message

    def _read(self, most: int, end: float | None) -> bytes:
        if end is not None or self._limited:
            # The system keeps the time: no call of its own to wait, as a time-out of Python's would be.
            left = 0 if end is None else max(1, int(1e6 * (end - time.monotonic())))  # 0 is for ever
            self._limited = end is not None
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIME.pack(*divmod(left, 10**6)))
        try:
            found = self._socket.recv(most)
        except BlockingIOError:
            raise Late from None
        if not found:
            raise EOFError
        return found

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()
