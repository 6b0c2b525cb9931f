"""What comes back from a node is put where a process of this machine would have left it."""

from __future__ import annotations

import asyncio
import os
import re
import zlib
from pathlib import Path
from typing import Any

from operator_lib.engine.process import CHECKPOINTS, FAILURE, SNAPSHOT, STATE, VALUE, ProcessSpec
from operator_lib.executors.ray.returned import AT_THE_END, EVENTS, GROWING

# Of a node nothing is taken but these, and no path.
_STATE = re.compile(rf"{STATE}/[0-9a-f]{{64}}")
WHOLE = (*AT_THE_END, SNAPSHOT)
# Those that must survive a crash of this machine, as they would have where they were made.
DURABLE = (VALUE, FAILURE, SNAPSHOT)


class Arrivals:
    """The files of one process, on the worker."""

    def __init__(self, spec: ProcessSpec) -> None:
        self._spec = spec
        self.problem = ""
        """Why something could not be stored here."""

    def _path(self, name: str) -> Path:
        """
        Raises:
            ValueError: nothing of that name is expected.
        """
        if name == EVENTS:
            return Path(self._spec.events)
        if name == CHECKPOINTS or _STATE.fullmatch(name):
            return Path(self._spec.events).parent / name
        if name in WHOLE or name in GROWING:
            return Path(self._spec.folder) / name
        raise ValueError(f"a node has sent a file {name!r}")

    async def take(self, head: dict[str, Any], body: bytes) -> None:
        """One message about a file."""
        path = self._path(head["file"])
        try:
            if head["say"] == "put":
                await self._put(path, head, body)
            elif head["say"] == "cut":
                os.truncate(path, head["at"])
            elif head["file"] == EVENTS:
                _append(path, body)
            else:
                _write(path, head["at"], body)
        except OSError as problem:  # the run goes on, as with a disk that is full where it runs
            self.problem = self.problem or f"{head['file']}: {problem.strerror or problem}"

    async def _put(self, path: Path, head: dict[str, Any], body: bytes) -> None:
        partial = path.with_name(f"{path.name}.partial")
        path.parent.mkdir(mode=0o700, exist_ok=True)
        start = os.O_APPEND if head["at"] else os.O_TRUNC
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | start, 0o600), "ab") as file:
            file.write(zlib.decompress(body) if head.get("packed") else body)
            if head["last"] and path.name in DURABLE:
                file.flush()
                await asyncio.to_thread(os.fsync, file.fileno())
        if head["last"]:
            os.replace(partial, path)


def _append(path: Path, data: bytes) -> None:
    """All of it, or none."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(fd).st_size
        try:
            _all(fd, data)
        except OSError:
            os.ftruncate(fd, size)
            raise
    finally:
        os.close(fd)


def _write(path: Path, at: int, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.lseek(fd, at, os.SEEK_SET)
        _all(fd, data)
    finally:
        os.close(fd)


def _all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
