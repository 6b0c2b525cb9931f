"""Messages on a socket between a client and a replica: see protos/line.proto. What is large lies beside its message,
and is not copied on its way.
"""

from __future__ import annotations

import mmap
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from operator_lib.wire.frames import Buffer

# What sockets of a replica are opened for.
CALLS, ITEMS, WEB = "calls", "items", "web"
# A payload of more bytes lies beside its message.
LARGE = 1 << 16
# A message has no more bytes.
LONGEST = 16 << 20
# Seconds that a host may take to answer.
CONNECT = 10.0

_HEAD = struct.Struct("<IQ")
_LENGTH = struct.Struct("<I")
_READ = 1 << 16
# From so many bytes on memory comes straight from the system: it is not filled with zeros before it is written to.
_PAGES = 1 << 20
# Buffers that one system call takes.
_VECTOR = 512
# Whoever waits for an answer notices within half a minute that the other host is gone.
_KEEPALIVE = (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a replica is."""

    address: str
    """Of its gRPC server, ``host:port``."""
    line: int
    """The port of its sockets."""
    token: str
    """To be shown there."""
    certificate: str = ""
    """In PEM, the one to trust there; without it nothing is encrypted."""


def connect(place: Place, kind: str, session: int) -> socket.socket:
    """A connection to a replica, for calls or the items of an iterator.

    Raises:
        OSError: nobody answers there.
    """
    host = place.address.rpartition(":")[0].strip("[]")
    connected = socket.create_connection((host, place.line), CONNECT)
    prepare(connected)
    if place.certificate:
        from operator_lib.wire import tls

        connected = tls.secured(connected, tls.client_context(place.certificate), server=False)
    connected.sendall(greeting(kind, session, place.token))
    return connected


def prepare(connected: socket.socket) -> None:
    """Small messages leave at once; a host that has vanished is noticed."""
    connected.settimeout(None)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def greeting(kind: str, session: int, token: str) -> bytes:
    """What whoever connects says first."""
    said = f"{kind} {session} {token}".encode()
    return _LENGTH.pack(len(said)) + said


def greeted(connected: socket.socket) -> tuple[str, int, bytes]:
    """The kind, the session and the token of whoever has connected.

    Raises:
        OSError, ValueError: he has not said it.
    """
    (length,) = _LENGTH.unpack(_exactly(connected, _LENGTH.size))
    if length > 256:
        raise ValueError("not a greeting")
    kind, session, token = _exactly(connected, length).split(b" ", 2)
    return kind.decode("ascii"), int(session), token


def _exactly(connected: socket.socket, count: int) -> bytes:
    data = bytearray(count)
    fill(connected, memoryview(data))
    return bytes(data)


def fill(connected: socket.socket, room: memoryview) -> None:
    """Read as many bytes as there is room for. Raises ConnectionError when they do not come."""
    while len(room):
        count = connected.recv_into(room)
        if not count:
            raise ConnectionError("the connection was closed in the middle of a message")
        room = room[count:]


def frame(message: Any, beside: Sequence[Buffer] = ()) -> list[Buffer]:
    """A message as buffers to be sent, with what lies beside it."""
    data = message.SerializeToString()
    if not beside:
        return [_HEAD.pack(len(data), 0) + data]
    views = [memoryview(buffer).cast("B") for buffer in beside if len(buffer)]
    return [_HEAD.pack(len(data), sum(map(len, views))) + data, *views]


def send(connected: socket.socket, buffers: Sequence[Buffer], flags: int = 0) -> Sequence[Buffer]:
    """Send them; what is left when `flags` say not to wait.

    Raises:
        OSError: the connection is lost.
    """
    while buffers:
        try:
            if len(buffers) == 1:
                sent = connected.send(buffers[0], flags)
            else:
                sent = connected.sendmsg(buffers[:_VECTOR], (), flags)
        except BlockingIOError:
            return buffers
        done = 0
        while done < len(buffers) and sent >= len(buffers[done]):
            sent -= len(buffers[done])
            done += 1
        rest = buffers[done + 1 :]
        buffers = [memoryview(buffers[done])[sent:], *rest] if sent else buffers[done:]
    return buffers


Frame = tuple[bytes, "memoryview | None"]


def frames(connected: socket.socket) -> Iterator[list[Frame]]:
    """Messages, and what lies beside them, as lists of those that have come together; until the other end is closed.

    Raises:
        OSError: the connection was lost, or says something that is no message.
    """
    heard = b""
    while data := connected.recv(_READ):
        heard = heard + data if heard else data
        found: list[Frame] = []
        start, there = 0, len(heard)
        while there - start >= _HEAD.size:
            length, beside = _HEAD.unpack_from(heard, start)
            begin = start + _HEAD.size
            end = begin + length
            if length > LONGEST:
                raise ConnectionError(f"a message of {length} bytes is none of ours")
            if end > there:
                break
            payload = None
            start = end + beside
            if beside:
                if found and start > there:  # what came before does not wait for it
                    yield found
                    found = []
                payload = _room(beside)
                have = heard[end : min(start, there)]
                payload[: len(have)] = have
                fill(connected, payload[len(have) :])
            found.append((heard[begin:end], payload))
        heard = heard[start:]
        if found:
            yield found
    if heard:
        raise ConnectionError("the connection was closed in the middle of a message")


def _room(size: int) -> memoryview:
    return memoryview(mmap.mmap(-1, size) if size >= _PAGES else bytearray(size))
