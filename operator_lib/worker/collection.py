"""Garbage collection: uploads, unpacked folders and environments that no version and no run names any more."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from operator_lib.wire.proto import deploy_pb2 as pb
from operator_lib.worker.blobs import Blobs
from operator_lib.worker.places import Places
from operator_lib.worker.store.base import Store

# Seconds for which things stay that nobody names: an upload that is to be named in a moment, replicas that still drain.
GRACE = 24 * 3600.0
# Folders that are being removed begin like this; what a killed worker has left of them is found the next time.
GONE = ".gone-"


class Collection:
    """Finds and removes what is left over. `clock`: seconds since the epoch."""

    def __init__(self, store: Store, blobs: Blobs, where: Places, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._blobs = blobs
        self._places = where
        self._clock = clock

    async def sweep(self) -> int:
        """Remove it; how many blobs and folders."""
        before = self._clock() - GRACE
        removed = await self._sweep_blobs(before)
        for folder, column in ((self._places.sources, 0), (self._places.environments, 1)):
            removed += await self._sweep_folders(folder, column, before)
        return removed

    async def _sweep_blobs(self, before: float) -> int:
        aside = self._blobs.aside
        await aside(self._blobs.sweep, GRACE)
        found = await aside(self._blobs.older, before)  # first: whoever names one of these later has renewed it
        return await aside(self._blobs.remove, found - await self._named(before), before) if found else 0

    async def _named(self, before: float) -> set[str]:
        named = await self._store.run_inputs()
        for version in await self._store.kept_versions(before):
            named.add(version.entry_sha256)
            named.update(file.sha256 for file in pb.Manifest.FromString(version.manifest).files)
        return named

    async def _sweep_folders(self, folder: Path, column: int, before: float) -> int:
        old = await asyncio.to_thread(_older, folder, before)
        if not old:
            return 0
        kept = await self._kept(column, before)
        going = {name: _taken(folder / name) for name in old if name not in kept}
        # Versions are made meanwhile: what one of them names by now is given back, unless it is there again.
        for name in await self._kept(column, before) & going.keys():
            _given_back(going.pop(name), folder / name)
        for path in going.values():
            await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
        return len(going)

    async def _kept(self, column: int, before: float) -> set[str]:
        return {(v.fingerprint, v.env_key)[column] for v in await self._store.kept_versions(before)}


def _older(folder: Path, before: float) -> list[str]:
    """Folders in it that have not changed since."""
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        return [e.name for e in entries if e.is_dir(follow_symlinks=False) and e.stat().st_mtime < before]
    return []


def _taken(path: Path) -> Path:
    if path.name.startswith(GONE):
        return path
    target = path.with_name(GONE + path.name)
    path.rename(target)
    return target


def _given_back(path: Path, target: Path) -> None:
    with contextlib.suppress(OSError):  # made anew
        path.rename(target)
