"""What a process leaves on its node, brought to the worker while it runs: its history, what its calls have returned,
its state, its outcome.

What lies in files is sent before the events that were there when it was looked at, and these before what the shim has
said since. So whoever sees that a run has printed something finds on the worker what the run had kept before.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from operator_lib.engine.checkpoint_log import Log
from operator_lib.engine.process import (
    CHECKPOINTS,
    FAILURE,
    HARVEST,
    LEDGER,
    OUTPUTS,
    SNAPSHOT,
    STATE,
    VALUE,
    ProcessSpec,
)
from operator_lib.executors.ray.link import PIECE, Link

EVENTS = "events"
# Files that are only added to, and such as are there as a whole; of both kinds those that count when it has ended.
GROWING = (CHECKPOINTS, OUTPUTS)
AT_THE_END = (VALUE, FAILURE, LEDGER, HARVEST)


@dataclass(slots=True)
class Returns:
    """The files of one process."""

    link: Link
    id: str
    spec: ProcessSpec
    _told: dict[str, int] = field(default_factory=dict[str, int])
    """Bytes of growing files that the worker has."""
    _seen: dict[str, tuple[int, int, int]] = field(default_factory=dict[str, tuple[int, int, int]])

    def begin(self) -> None:
        """Before it is started: what is here now came from the worker."""
        for name in (EVENTS, *GROWING):
            self._told[name] = _size(self._path(name))
        if self._told[CHECKPOINTS]:
            Log(self._path(CHECKPOINTS)).close()  # takes away what is torn at its end
        self._seen = {name: mark for name, mark, _ in self._whole()}

    def _path(self, name: str) -> Path:
        if name == EVENTS:
            return Path(self.spec.events)
        if name == CHECKPOINTS or name.startswith(f"{STATE}/"):
            return Path(self.spec.events).parent / name
        return Path(self.spec.folder) / name

    async def look(self, *, ended: bool = False) -> None:
        """Send what is new."""
        history = self._path(EVENTS)
        until = _size(history)
        for name, mark, path in list(self._whole()):
            if self._seen.get(name) != mark:
                self._seen[name] = mark
                await self._put(name, path)
        for name in GROWING:
            await self._grown(name, _size(self._path(name)))
        for name in AT_THE_END if ended else ():
            if self._path(name).exists():
                await self._put(name, self._path(name))
        await self._grown(EVENTS, until, whole_lines=True)

    def _whole(self) -> Iterator[tuple[str, tuple[int, int, int], Path]]:
        """Files that are replaced, each in one step: with something that changes when they do."""
        names = [SNAPSHOT] if self.spec.snapshot is not None else []
        if self.spec.kind == "run":
            folder = self._path(f"{STATE}/x").parent
            names += [f"{STATE}/{name}" for name in (os.listdir(folder) if folder.exists() else []) if "." not in name]
        for name in names:
            try:
                found = self._path(name).stat()
            except FileNotFoundError:
                continue
            yield name, (found.st_ino, found.st_mtime_ns, found.st_size), self._path(name)

    async def _put(self, name: str, path: Path) -> None:
        """A whole file; what is read is one that was there, however often it is replaced meanwhile."""
        try:
            file = open(path, "rb")  # noqa: SIM115
        except FileNotFoundError:
            return
        with file:
            at, last = 0, False
            while not last:
                data = file.read(PIECE)
                last = len(data) < PIECE
                head = {"say": "put", "id": self.id, "file": name, "at": at, "last": last}
                at += len(data)
                if name in (LEDGER, HARVEST):  # which are mostly empty
                    head["packed"], data = True, zlib.compress(data, 1)
                self.link.send(head, data)
                await self.link.room()

    async def _grown(self, name: str, until: int, *, whole_lines: bool = False) -> None:
        told = self._told.get(name, 0)
        if until == told:
            return
        if until < told:  # what could not be written whole was taken back
            self._told[name] = until
            self.link.send({"say": "cut", "id": self.id, "file": name, "at": until})
            return
        with open(self._path(name), "rb") as file:
            file.seek(told)
            while told < until:
                data = file.read(min(PIECE, until - told))
                if whole_lines and b"\n" in data:
                    data = data[: data.rfind(b"\n") + 1]
                elif whole_lines and len(data) < PIECE:
                    break
                if not data:
                    break
                self.link.send({"say": "add", "id": self.id, "file": name, "at": told}, data)
                told += len(data)
                file.seek(told)
                await self.link.room()
        self._told[name] = told


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
