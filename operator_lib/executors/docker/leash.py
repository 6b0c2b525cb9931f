"""The socket between a worker and a shim in a container: a file in the folder that both of them see."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Generator
from pathlib import Path

FILE = "leash"


@contextlib.contextmanager
def _address(folder: Path) -> Generator[str]:
    """A name for the file that is short enough for a socket's (107 bytes), however deep the folder lies (Linux)."""
    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{fd}/{FILE}"
    finally:
        os.close(fd)


@contextlib.contextmanager
def listening(folder: Path) -> Generator[socket.socket]:
    """A socket that one shim can be heard on; whoever comes later finds nothing."""
    (folder / FILE).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as door:
        door.setblocking(False)
        with _address(folder) as address:
            door.bind(address)
        door.listen(1)
        try:
            yield door
        finally:
            (folder / FILE).unlink(missing_ok=True)


def connect(folder: Path) -> socket.socket:
    """The shim's end.

    Raises:
        OSError: the worker is gone.
    """
    channel = socket.socket(socket.AF_UNIX)
    with _address(folder) as address:
        channel.connect(address)
    return channel


def caller(channel: socket.socket) -> int:
    """Process at the other end, as this machine counts; 0 when it cannot be seen from here."""
    size = struct.calcsize("3i")
    return struct.unpack("3i", channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[0]
