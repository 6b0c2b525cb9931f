"""How much of what storage has may lie in the home, too: what was used longest ago goes first."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from operator_lib.worker.archive.archive import Archive, notes
from operator_lib.worker.blobs.mirrored import Mirrored
from operator_lib.worker.places import Places

# Seconds for which what was used stays, however much there is: somebody may be about to open it.
IN_USE = 3600.0


@dataclass(frozen=True, slots=True)
class _Copy:
    """A blob or the folder of a run, of which storage has all."""

    path: Path
    size: int
    used: float


def trim(where: Places, blobs: Mirrored, archive: Archive, limit: float, now: float | None = None) -> int:
    """Remove copies until they have at most `limit` bytes; how many bytes that were. `now`: seconds since the epoch.

    Raises:
        ObjectsError: storage cannot be asked whether it has what is about to go.
    """
    before = (time.time() if now is None else now) - IN_USE
    copies = [*_runs(where.home / "runs"), *_blobs(blobs.root)]
    total, removed = sum(copy.size for copy in copies), 0
    for copy in sorted(copies, key=lambda copy: copy.used):
        if total - removed <= limit or copy.used >= before:
            return removed
        if copy.path.parent == where.home / "runs":
            dropped = archive.drop(copy.path.name)
        else:
            dropped = blobs.drop(copy.path.name, copy.size, before)
        removed += copy.size if dropped else 0
    return removed


def _blobs(root: Path) -> Iterator[_Copy]:
    for folder in root.iterdir():
        if len(folder.name) == 2:
            for path in folder.iterdir():
                there = path.stat()
                yield _Copy(path, there.st_size, there.st_mtime)


def _runs(folder: Path) -> Iterator[_Copy]:
    for run in folder.iterdir():
        if run.name.startswith("."):
            continue
        for note in notes(run):
            used = (run / note).stat().st_mtime
            yield _Copy(run, sum(_sizes(run)), used)


def _sizes(folder: Path) -> Iterator[int]:
    for place, _, files in os.walk(folder):
        for name in files:
            yield os.lstat(os.path.join(place, name)).st_size
