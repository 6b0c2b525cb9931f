"""One worker per home."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

from operator_lib.errors import OperatorError

# The winner writes its pid right after it has got the lock; a loser waits that long for it.
PID_WAIT = 0.25
# Seconds that one of several workers waits for another that is coming up.
SHARE_WAIT = 20.0


class AlreadyRunning(OperatorError, RuntimeError):
    """Another worker has this home; `pid` is its process, None when it could not be read."""

    def __init__(self, message: str, pid: int | None = None) -> None:
        super().__init__(message)
        self.pid = pid


class HomeLock:
    """Holds `home`/lock (0600) until `release` or the end of the process; makes the home (0700) if need be.

    The kernel drops the lock with its process, so one left by ``kill -9`` is no obstacle. It also lives as
    long as a child that was forked without ``exec`` holds the file open.

    Raises:
        AlreadyRunning: names the process that has it.
    """

    def __init__(self, home: str | Path, shared: bool = False) -> None:
        """`shared`: others that say so too may have the home. They come up one after the other: see `share`."""
        self.path = Path(home) / "lock"
        self.alone = True  # nobody else has it
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file: int | None = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            self._take(self._file, shared)
        except OSError as error:
            os.close(self._file)
            if not isinstance(error, BlockingIOError):
                raise
            pid = holder(self.path.parent)
            raise AlreadyRunning(
                f"a worker is already running in {self.path.parent} (pid {pid or 'unknown'}); stop it with "
                "`operator-lib worker stop`, or start this one with another --home",
                pid,
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def _take(self, file: int, shared: bool) -> None:
        end = time.monotonic() + SHARE_WAIT
        while True:
            try:
                return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not shared:
                    raise
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                self.alone = False
                return None
            except BlockingIOError:  # one that comes up, or one that shares with nobody
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def share(self) -> None:
        """From now on others may come."""
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_SH)

    def release(self) -> None:
        """Set the home free. The file stays: otherwise two workers could lock two files of one name."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None

    def __enter__(self) -> HomeLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def holder(home: str | Path) -> int | None:
    """The process written in the lock file of `home`."""
    until = time.monotonic() + PID_WAIT
    while True:
        try:
            text = (Path(home) / "lock").read_text().strip()
        except (OSError, UnicodeDecodeError):
            return None
        if text.isdecimal():
            return int(text)
        if time.monotonic() > until:
            return None
        time.sleep(0.005)
