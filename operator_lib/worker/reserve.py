"""A little room on the disk that is kept free for outcomes: when the disk is full, what was accepted can still end."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

SIZE = 4 << 20  # bytes
# It is not taken from a disk that has less than this many times its size.
AMPLE = 4


class Reserve:
    """A file of zeros at `path`, given up when it is needed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.held = path.exists()
        self.hold()

    def hold(self) -> None:
        """Take the room, if there is enough."""
        if self.held or shutil.disk_usage(self.path.parent).free < AMPLE * SIZE:
            return
        try:
            with open(os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                file.write(b"\0" * SIZE)
            self.held = True
        except OSError:
            self.release()

    def release(self) -> bool:
        """Give the room up; False when that has been done before."""
        held, self.held = self.held, False
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        return held
