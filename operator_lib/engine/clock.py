"""Deadlines of the calls that are going on, in memory that a run's process shares with the shim that would kill it.

The process that runs the user's code cannot keep its own time: a loop in C holds everything up. So it writes down when
each call must have ended, and its shim, which looks at the page a few times a second, kills it when one is overdue. The
page outlives the process: what was overdue stays written.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from operator_lib.errors import OperatorTimeout

# What a process without room for one more deadline does: it lets the call go unlimited no longer than the run itself.
SLOTS = 1024
# Whether the slot is taken, which call, its mark, monotonic end (0: paused), limit and grace in seconds.
_SLOT = struct.Struct("<?63s24sddd")
_NAME = 63


@dataclass(frozen=True, slots=True)
class Overdue:
    """A call that has run for longer than it may."""

    call: str
    """Path of the operator; cut off when it is long."""
    limit: float
    elapsed: float
    """Seconds since its clock was last started anew."""
    mark: bytes = b""
    """Which attempt of which call of a run it was (engine/blame.py), or which call of a replica (engine/ledger.py).
    Empty for the root of a run."""

    def words(self) -> str:
        """For people."""
        return words(self.call, self.elapsed, self.limit)


def words(call: str, elapsed: float, limit: float) -> str:
    """How it is said that a call of the operator at that path, ``""`` for the root, has taken too long."""
    return f"{f'{call} ' if call else ''}ran for {elapsed:.1f} s, the limit is {limit:g} s"


def late(call: str, about: str) -> OperatorTimeout:
    """What is raised where a call was made that was ended for its time limit."""
    error = OperatorTimeout(about)
    error.operator_path = call  # type: ignore[attr-defined]
    error.__operator_late__ = True  # type: ignore[attr-defined]
    return error


def is_late(error: BaseException) -> bool:
    """Whether `late` has made it: not the user's own code."""
    return getattr(error, "__operator_late__", False) is True


class Timer:
    """The clock of one call."""

    __slots__ = ("_clock", "_grace", "_left", "_mark", "_name", "_offset", "_paused", "call", "limit")

    def __init__(self, clock: Clock, offset: int, call: str, limit: float, mark: bytes) -> None:
        self._clock = clock
        self._offset = offset
        self._paused = 0
        self._left = limit
        self._grace = 0.0
        self.call = call
        self._name = call.encode()[:_NAME]
        self._mark = mark
        self.limit = limit
        self._write(time.monotonic() + limit)

    def _write(self, end: float) -> None:
        last = end + self._grace if end else 0.0
        _SLOT.pack_into(self._clock.memory, self._offset, True, self._name, self._mark, last, self.limit, self._grace)

    def _end(self) -> float:
        last: float = _SLOT.unpack_from(self._clock.memory, self._offset)[3]
        return last - self._grace if last else 0.0

    def soften(self, grace: float) -> None:
        """Somebody here sees to it that the call ends: whoever would kill it waits for so many seconds more."""
        with self._clock.lock:
            end = self._end()
            self._grace = grace
            self._write(end)

    def left(self) -> float:
        """Seconds that it may still run."""
        with self._clock.lock:
            end = self._end()
            return end - time.monotonic() if end else max(self._left, 0.001)

    def restart(self) -> None:
        """A sign of life: the whole time from now on."""
        with self._clock.lock:
            self._left = self.limit
            if not self._paused:
                self._write(time.monotonic() + self.limit)

    def pause(self) -> None:
        """A child is at work: its time is not ours."""
        with self._clock.lock:
            self._paused += 1
            if self._paused == 1:
                self._left = max(0.0, self._end() - time.monotonic())
                self._write(0.0)

    def resume(self) -> None:
        """One child fewer."""
        with self._clock.lock:
            self._paused -= 1
            if not self._paused:
                self._write(time.monotonic() + self._left)

    @property
    def end(self) -> float:
        """Seconds since the epoch, if nothing stops it on the way."""
        end = self._end()
        return time.time() + (end - time.monotonic() if end else self._left)

    def stop(self) -> None:
        """The call has ended."""
        self._clock.release(self._offset)


class Clock:
    """The page, as the process that makes the calls sees it."""

    def __init__(self, path: str | Path, begin: Callable[[], object] = lambda: None) -> None:
        """`begin` is called when the first call with a limit starts."""
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(fd, SLOTS * _SLOT.size)
            self.memory = mmap.mmap(fd, SLOTS * _SLOT.size)
        finally:
            os.close(fd)
        self.lock = threading.Lock()
        self._begin: Callable[[], object] | None = begin
        self._free = list(range((SLOTS - 1) * _SLOT.size, -1, -_SLOT.size))

    def start(self, call: str, limit: float, mark: bytes = b"") -> Timer | None:
        """A clock for a call (the path of its operator) of at most `limit` seconds; None when too many are running."""
        with self.lock:
            offset = self._free.pop() if self._free else None
            begin, self._begin = self._begin, None
        if begin is not None:
            begin()
        return None if offset is None else Timer(self, offset, call, limit, mark)

    def release(self, offset: int) -> None:
        with self.lock:
            _SLOT.pack_into(self.memory, offset, False, b"", b"", 0.0, 0.0, 0.0)
            self._free.append(offset)


class Watch:
    """The page, as the shim sees it."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._memory: mmap.mmap | None = None

    def overdue(self) -> Overdue | None:
        """The call that is longest over its time, if any."""
        memory = self._open()
        if memory is None:
            return None
        now = time.monotonic()
        slots = _SLOT.iter_unpack(memory[:])
        late = [(end, name, limit, grace, mark) for on, name, mark, end, limit, grace in slots if on and 0 < end <= now]
        if not late:
            return None
        end, name, limit, grace, mark = min(late)
        told = mark if any(mark) else b""
        return Overdue(name.rstrip(b"\0").decode(errors="ignore"), limit, limit + grace + now - end, told)

    def _open(self) -> mmap.mmap | None:
        if self._memory is None:
            try:
                with open(self._path, "rb") as file:
                    self._memory = mmap.mmap(file.fileno(), SLOTS * _SLOT.size, prot=mmap.PROT_READ)
            except (OSError, ValueError):  # not there (yet): no call with a limit has begun
                return None
        return self._memory
