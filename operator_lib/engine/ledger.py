"""Which calls a replica has started: a small file in shared memory that outlives its writer, ``kill -9`` included.

Calls of a session start in the order of their ids, so one number a session is enough: whatever is higher never started,
and can be given to another replica without being run twice. Of a call with several inputs it is also noted which of
them was begun last, and of a call in a batch how many there were in it.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
from dataclasses import dataclass
from pathlib import Path

PAGES = 4096
_PAGE = struct.Struct("<QQQ")  # session, last call started, how many of its inputs were begun
_STARTED = struct.Struct("<QQ")
_BEGUN = struct.Struct("<Q")
# In the place of what was begun: all of it has been carried out.
DONE = (1 << 64) - 1
# Names one call of one session, as the mark of a clock: see `clock.Overdue`.
MARK = struct.Struct("<QQ8x")


@dataclass(frozen=True, slots=True)
class Started:
    """How far a replica had come with the calls of a session."""

    call: int = 0
    """The last one that was started."""
    begun: int = 0
    """How many of the inputs of that one; or how many calls were in its batch, `DONE` once that was carried out."""

    def shared(self, call_id: int) -> bool:
        """Whether a call of an object with batches, not answered, may not be what its process has died of: it was in a
        batch with others, or had been carried out already.
        """
        return call_id < self.call or (call_id == self.call and self.begun > 1)


class Page:
    """The entry of one session."""

    __slots__ = ("_last", "_ledger", "_offset", "session")

    def __init__(self, ledger: Ledger, session: int, offset: int) -> None:
        self._ledger = ledger
        self._offset = offset
        self._last = 0
        self.session = session

    def note(self, call_id: int) -> None:
        """This call is about to start."""
        if call_id > self._last:
            self._last = call_id
            _STARTED.pack_into(self._ledger.memory, self._offset + 8, call_id, 0)

    def begin(self, count: int) -> None:
        """So many inputs of that call are done, or about to start; or it is in a batch of so many calls."""
        _BEGUN.pack_into(self._ledger.memory, self._offset + 16, count)

    def mark(self, call_id: int) -> bytes:
        """Names a call of this session."""
        return MARK.pack(self.session, call_id)

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
        _PAGE.pack_into(self.memory, offset, session, 0, 0)
        return Page(self, session, offset)

    def release(self, offset: int) -> None:
        with self._lock:
            self._free.append(offset)


def read(path: Path) -> dict[int, Started]:
    """``session -> what was started`` of a replica that has ended."""
    try:
        data = path.read_bytes()
    except OSError:
        return {}
    whole = len(data) // _PAGE.size * _PAGE.size
    pages = _PAGE.iter_unpack(data[:whole])
    return {session: Started(call, begun) for session, call, begun in pages if session}


def is_marked(mark: bytes, session: int, call_id: int) -> bool:
    """Whether a clock's mark names this call."""
    return mark == MARK.pack(session, call_id)
