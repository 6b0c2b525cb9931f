"""The file in which a run keeps what its calls have returned: records that are whole, or not there.

Layout: `MARK` and eight bytes that no other file has, then records: a head (`_HEAD`, the path of the operator, a
checksum of both) and a body, whose checksum is in the head. Records are only ever appended, one write each, and not
flushed: what a crash of the machine tears is computed again. What does not fit its checksum is not used; reading goes
on at the next head that does.
"""

from __future__ import annotations

import contextlib
import os
import struct
import threading
from collections.abc import Collection, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

# Kinds of records: the value of a call; an attempt that raised; one that was killed for its time limit, and the note
# that the program was told so; from here on nobody is to be blamed for earlier attempts; what is above was taken over
# from another run.
VALUE, FAILED, OVERDUE, TOLD, RESUMED, TAKEN_OVER = range(1, 7)

MARK = b"operator_lib checkpoints 1\n"
_NAME = 8
_START = b"\xf5\x9aOP"
# Start, kind, bytes of the path, ordinal, number (of the attempt, or flags), begun (seconds since the epoch), bytes of
# the body, key, state before, checksum of the body.
_HEAD = struct.Struct("<4sBHIIdQ16s16s16s")
_SUM = 16


class Record(NamedTuple):
    """One record; `offset` is that of its body."""

    kind: int
    key: bytes = bytes(16)
    ordinal: int = 0
    """Of the call among equal ones."""
    number: int = 0
    """Of the attempt; of a value its flags."""
    begun: float = 0.0
    before: bytes = bytes(16)
    """What the operator's attributes were like; zeros where that cannot be said."""
    path: str = ""
    offset: int = 0
    size: int = 0
    sum: bytes = b""


def checksum(*parts: bytes | memoryview, key: bytes = b"") -> bytes:
    """Sixteen bytes that tell one content from another."""
    made = blake2b(digest_size=_SUM, key=key)
    for part in parts:
        made.update(part)
    return made.digest()


class Log:
    """The file, opened to be added to, or only to be read."""

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        flags = os.O_RDONLY if read_only else os.O_RDWR | os.O_CREAT | os.O_APPEND
        self._fd = os.open(path, flags | os.O_CLOEXEC, 0o600)
        self._lock = threading.Lock()
        start = os.pread(self._fd, len(MARK) + _NAME, 0)
        if not read_only and (len(start) < len(MARK) + _NAME or not start.startswith(MARK)):
            os.ftruncate(self._fd, 0)
            start = MARK + os.urandom(_NAME)
            self._append([start])
        self._name = start[len(MARK) :]
        self.found = list(self.records())
        """What was in it when it was opened."""
        if not read_only:
            self._cut()

    def _cut(self) -> None:
        """Take away what was torn at the end, so that nothing is added to it."""
        last = self.found[-1] if self.found else None
        end = last.offset + last.size if last is not None else len(MARK) + _NAME
        if end < os.fstat(self._fd).st_size:
            os.ftruncate(self._fd, end)

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        os.close(self._fd)

    def forked(self) -> None:
        """This process is a fork of the one that opened it."""
        self._lock = threading.Lock()

    def add(self, record: Record, body: Sequence[bytes | memoryview] = ()) -> Record:
        """Append a record; as it can be read back.

        Raises:
            OSError: there is no room; nothing of it was kept.
        """
        path = record.path.encode()[:0xFFFF]
        size, body_sum = sum(len(part) for part in body), checksum(*body)
        head = _HEAD.pack(
            *(_START, record.kind, len(path), record.ordinal, record.number, record.begun, size),
            *(record.key, record.before, body_sum),
        )
        about = head + path
        with self._lock:
            end = self._append([about, checksum(about, key=self._name), *body])
        return Record(*record[:7], end - size, size, body_sum)

    def _append(self, parts: Sequence[bytes | memoryview]) -> int:
        """Write at the end; where that is now. What was not written whole is taken back."""
        size, written = sum(len(part) for part in parts), 0
        try:
            written = os.writev(self._fd, parts)
            if written < size:
                rest = memoryview(b"".join(parts))[written:]
                while rest:
                    count = os.write(self._fd, rest)
                    written += count
                    rest = rest[count:]
        except OSError:
            if written:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._fd, os.fstat(self._fd).st_size - written)
            raise
        return os.lseek(self._fd, 0, os.SEEK_CUR)

    def body(self, record: Record) -> bytes | None:
        """What was stored; None when it is not what was written."""
        data = os.pread(self._fd, record.size, record.offset)
        return data if checksum(data) == record.sum else None

    def records(self) -> Iterator[Record]:
        """All whole heads in the order in which they were written; bodies are looked at when they are asked for."""
        end, position = os.fstat(self._fd).st_size, len(MARK) + _NAME
        while position < end:
            record = self._head(position)
            if record is None:
                position = self._next_start(position + 1, end)
            elif record.offset + record.size <= end:
                yield record
                position = record.offset + record.size
            else:  # its end was not written; or that of the file is gone
                position = self._next_start(record.offset, end)

    def _head(self, position: int) -> Record | None:
        fixed = os.pread(self._fd, _HEAD.size + 256, position)
        if len(fixed) < _HEAD.size or not fixed.startswith(_START):
            return None
        _, kind, path_size, ordinal, number, begun, size, key, before, body_sum = _HEAD.unpack_from(fixed)
        whole = _HEAD.size + path_size + _SUM
        if whole > len(fixed):
            fixed = os.pread(self._fd, whole, position)
        about = fixed[: whole - _SUM]
        if len(fixed) < whole or checksum(about, key=self._name) != fixed[whole - _SUM : whole]:
            return None
        path = about[_HEAD.size :].decode(errors="replace")
        return Record(kind, key, ordinal, number, begun, before, path, position + whole, size, body_sum)

    def _next_start(self, position: int, end: int) -> int:
        """Where a head may begin."""
        while position < end:
            window = os.pread(self._fd, 1 << 16, position)
            found = window.find(_START)
            if found >= 0:
                return position + found
            position += max(1, len(window) - len(_START) + 1)
        return end


def take_over(old: str | Path, new: str | Path, before: float, without: Collection[str] = ()) -> int:
    """Copy the values of calls that had begun before a moment (seconds since the epoch) into the file of a new run.

    Args:
        without: paths of operators whose values are left out.

    Returns:
        How many.

    Raises:
        OSError: there is no room.
    """
    taken = 0
    if not Path(old).exists():
        return taken
    with Log(old, read_only=True) as source, Log(new) as target:
        for record in source.found:
            wanted = record.kind == VALUE and record.begun < before and record.path not in without
            body = source.body(record) if wanted else None
            if body is not None:
                target.add(record, [body])
                taken += 1
        target.add(Record(TAKEN_OVER))
    return taken
