"""The home of an outpost: it looks like the worker's, and holds what the worker has brought."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

from operator_lib.engine import marks


class Dwelling:
    """It is there for as long as the outpost; environments beside it stay for the next one."""

    def __init__(self, base: Path, node: str) -> None:
        homes = base / "nodes"
        homes.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in homes.glob("*.lock"):
            _clear(left)
        # Short: programs may put sockets into their temporary folder.
        name = hashlib.sha256(f"{node}{os.getpid()}".encode()).hexdigest()[:12]
        self.home = homes / name
        self._lock = open(homes / f"{name}.lock", "w")  # noqa: SIM115  # for as long as this process
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.home.mkdir(mode=0o700)

    def take(self, head: dict[str, Any], body: bytes) -> None:
        """A piece of a file. Those of a folder are there under its name when all of them are."""
        part = self._part(head)
        if head.get("whole"):
            target = self.home / head["name"]
            part.mkdir(mode=0o700, parents=True, exist_ok=True)  # it may be empty
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.replace(part, target)
            return
        part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | (0 if head["at"] else os.O_TRUNC), 0o600), "r+b") as file:
            file.seek(head["at"])
            file.write(body)
        if head["last"]:
            os.chmod(part, head["mode"])
            if not head.get("of"):
                target = self.home / head["name"]
                os.replace(part, target)

    def _part(self, head: dict[str, Any]) -> Path:
        if head.get("whole"):
            return self.home / f"{head['name']}.partial"
        if head.get("of"):
            return self.home / f"{head['of']}.partial" / head["name"].removeprefix(f"{head['of']}/")
        return self.home / f"{head['name']}.partial"

    def leave(self) -> None:
        """Nothing of it stays."""
        shutil.rmtree(self.home, ignore_errors=True)
        self._lock.close()
        Path(f"{self.home}.lock").unlink(missing_ok=True)


def _clear(lock: Path) -> None:
    """Remove the home of one that was killed; its processes have ended with it, or do so now."""
    with contextlib.suppress(OSError), open(lock, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        home = lock.with_suffix("")
        marks.kill_marked(marks.HOME, str(home))
        shutil.rmtree(home, ignore_errors=True)
        lock.unlink(missing_ok=True)
