"""Outcomes of the inputs of a map, kept in shared memory as they come: should the process die, they are not lost.

A process answers several inputs at a time, and an answer can be lost on its way when the process ends right after it.
So each outcome is here for some time: there are two halves, and when one is full the other is begun anew. A half is a
sequence of records, up to one of no bytes.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HALF = 1 << 20
# Bytes after which outcomes are to be answered, so that those of several answers are here. A larger one is not kept.
LARGE = 1 << 18
_SIZE = struct.Struct("<I")  # bytes of the record; written last
_HEAD = struct.Struct("<QIB")  # call, position among its inputs, kind
_BEFORE = _SIZE.size + _HEAD.size
# What a record holds: a plain value as JSON, a frame of the codec, an exception, nothing (it was too large).
TEXT, VALUE, FAILURE, GONE = range(4)


@dataclass(frozen=True, slots=True)
class Outcome:
    """That of one input. `kind`: `TEXT`, `VALUE`, `FAILURE` or `GONE`."""

    kind: int
    data: bytes


class Harvest:
    """The space of one process, as that process sees it."""

    def __init__(self, path: Path) -> None:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.ftruncate(fd, 2 * HALF)
            self._memory = mmap.mmap(fd, 2 * HALF)
        finally:
            os.close(fd)
        self._at = 0
        self._end = HALF

    def keep(self, call: int, position: int, kind: int, data: bytes) -> None:
        """Keep the outcome of one input; it has at most `LARGE` bytes."""
        at, memory, size = self._at, self._memory, _BEFORE + len(data)
        if at + size + _SIZE.size > self._end:
            at = 0 if self._end > HALF else HALF
            self._end = at + HALF
        after = at + size
        _SIZE.pack_into(memory, after, 0)
        memory[at + _BEFORE : after] = data
        _HEAD.pack_into(memory, at + _SIZE.size, call, position, kind)
        _SIZE.pack_into(memory, at, size)
        self._at = after


def load(path: Path) -> bytes:
    """What a process that is gone has left; empty where it has carried out no map."""
    try:
        data = path.read_bytes()
    except OSError:
        return b""
    return b"".join(data[start : start + _length(data, start)] for start in range(0, len(data), HALF))


def _length(data: bytes, start: int) -> int:
    at = start
    while at + _SIZE.size <= len(data) and (size := _SIZE.unpack_from(data, at)[0]):
        at += size
    return min(at, len(data)) - start


def outcomes(data: bytes) -> Iterator[tuple[tuple[int, int], Outcome]]:
    """What `load` has read: by call and position."""
    at = 0
    while at + _BEFORE <= len(data):
        size: int = _SIZE.unpack_from(data, at)[0]
        call, position, kind = _HEAD.unpack_from(data, at + _SIZE.size)
        yield (call, position), Outcome(kind, data[at + _BEFORE : at + size])
        at += max(size, _BEFORE)
