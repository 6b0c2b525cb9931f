"""Which calls a replica has started: a small file in shared memory that outlives its writer, ``kill -9`` included.

Calls of a session start in the order of their ids, so one number a session is enough: whatever is higher never started,
and can be given to another replica without being run twice.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
from pathlib import Path

PAGES = 1024
_PAGE = struct.Struct("<QQ")  # session, last call started


class Page:
    """The entry of one session."""

    __slots__ = ("_last", "_ledger", "_offset")

    def __init__(self, ledger: Ledger, offset: int) -> None:
        self._ledger = ledger
        self._offset = offset
        self._last = 0

    def note(self, call_id: int) -> None:
        """This call is about to start."""
        if call_id > self._last:
            self._last = call_id
            struct.pack_into("<Q", self._ledger.memory, self._offset + 8, call_id)

    def close(self) -> None:
        """The session has ended with all its calls answered, or with nobody left to ask."""
        self._ledger.release(self._offset)


class Ledger:
    """The file of one replica."""

    def __init__(self, path: Path) -> None:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.ftruncate(fd, PAGES * _PAGE.size)
            self.memory = mmap.mmap(fd, PAGES * _PAGE.size)
        finally:
            os.close(fd)
        self._free = list(range(0, PAGES * _PAGE.size, _PAGE.size))
        self._lock = threading.Lock()

    def open(self, session: int) -> Page:
        """A page for a session."""
        with self._lock:
            offset = self._free.pop(0)
        _PAGE.pack_into(self.memory, offset, session, 0)
        return Page(self, offset)

    def release(self, offset: int) -> None:
        with self._lock:
            self._free.append(offset)


def read(path: Path) -> dict[int, int]:
    """``session -> last call started`` of a replica that has ended."""
    try:
        data = path.read_bytes()
    except OSError:
        return {}
    whole = len(data) // _PAGE.size * _PAGE.size
    return {session: last for session, last in _PAGE.iter_unpack(data[:whole]) if session}
