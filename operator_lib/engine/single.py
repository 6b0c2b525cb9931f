"""One at a time computes what is not stored yet, over all processes that share the folder; the others wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import threading
from collections.abc import Generator
from pathlib import Path

from operator_lib import endpoint
from operator_lib.engine import entries

# Seconds between two looks of a coroutine, which must not hold up its loop.
_SOON, _LATER = 0.002, 0.05

# Who computes what in this process: key -> (thread, task).
_busy: dict[str, tuple[int, int]] = {}


class Alone:
    """A lock on one key. It goes with the process that holds it, however that ends."""

    __slots__ = ("_fd", "_path", "key", "waited")

    def __init__(self, key: str) -> None:
        self.key = key
        self.waited = False  # somebody else may have stored it meanwhile
        self._fd = -1
        self._path = f"{entries.folder()}/locks/{key}"

    def wait(self) -> None:
        """Until nobody else computes it. Where no lock can be had (a full disk), they all compute."""
        holder = _busy.get(self.key)
        if holder is not None and holder[0] == threading.get_ident():
            return  # it is this thread itself, further out: waiting would be forever
        with self._waiting():
            while not self._try(fcntl.LOCK_EX):
                pass
            _busy[self.key] = _me()

    async def awaited(self) -> None:
        """`wait`, in a coroutine."""
        if _busy.get(self.key) == _me():
            return
        pause = _SOON
        with self._waiting():
            while not self._try(fcntl.LOCK_EX | fcntl.LOCK_NB):
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LATER)
            _busy[self.key] = _me()

    def end(self) -> None:
        """Let the next one in."""
        if self._fd < 0:
            return
        _busy.pop(self.key, None)
        with contextlib.suppress(OSError):
            os.unlink(self._path)
        self._close()

    @contextlib.contextmanager
    def _waiting(self) -> Generator[None]:
        """Who is interrupted or cancelled while waiting holds nothing."""
        try:
            yield
        except OSError:
            self._close()
        except BaseException:
            self._close()
            raise

    def _try(self, how: int) -> bool:
        """Whether the lock is ours. The file goes when its holder is done: another of that name is another lock."""
        if self._fd < 0:
            self._open()
        try:
            fcntl.flock(self._fd, how | fcntl.LOCK_NB)
        except BlockingIOError:
            self.waited = True
            if how & fcntl.LOCK_NB:
                return False
            fcntl.flock(self._fd, how)
        except OSError:
            self._close()
            raise
        try:
            if os.path.samestat(os.stat(self._path), os.fstat(self._fd)):
                return True
        except FileNotFoundError:
            pass
        self.waited = True
        self._close()
        return False

    def _open(self) -> None:
        try:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            endpoint.make_private(Path(self._path).parent)
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _me() -> tuple[int, int]:
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    return threading.get_ident(), id(task) if task is not None else 0
