"""Runs that ended while storage was away, or before there was any: brought there as soon as it answers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from pathlib import Path

from operator_lib.errors import OperatorError
from operator_lib.worker.archive.archive import Archive, notes
from operator_lib.worker.archive.pack import Damaged
from operator_lib.worker.store.base import Store

log = logging.getLogger("operator_lib.worker")

# Seconds between looks, and the longest pause after one that failed.
LOOK, LONGEST = 0.5, 15.0
# Runs that are brought at the same time.
ABREAST = 8


class Backlog:
    """Works off `Archive.late`, and what a worker before has left."""

    def __init__(self, archive: Archive, store: Store, folder: Path) -> None:
        self._archive = archive
        self._store = store
        self._folder = folder
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """From now on. Before anything can be submitted."""
        self._task = asyncio.create_task(self._work())

    async def stop(self, seconds: float) -> None:
        """Give it so long to come to its end; the rest is for the next worker."""
        if self._task is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._archive.late and not self._archive.storage.trouble:
                    await asyncio.sleep(0.05)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        if self._archive.late:
            left = len(self._archive.late)
            log.warning("worker: %d ended runs are not in storage yet; the next worker brings them there", left)

    async def _work(self) -> None:
        with contextlib.suppress(OSError, OperatorError):
            for run_id in await asyncio.to_thread(_only_here, self._folder):
                row = await self._store.run(run_id)
                if row is not None and row.terminal:
                    self._archive.late.add(run_id)
        pause = LOOK
        while True:
            await asyncio.sleep(pause)
            pause = LOOK if await self._round() else min(2 * pause, LONGEST)

    async def _round(self) -> bool:
        """Bring what is late, one first: whether storage took it."""
        ids = sorted(self._archive.late)
        for start in (0, *range(1, len(ids), ABREAST)):
            some = ids[start : start + ABREAST] if start else ids[:1]
            brought = await asyncio.gather(*map(self._bring, some))
            if not all(brought):
                return False
        return True

    async def _bring(self, run_id: str) -> bool:
        try:
            row = await self._store.run(run_id)
            if row is not None and not row.terminal:
                return True  # about to be told, or resumed: in the next round
            if row is not None:
                aside = self._archive.storage.aside
                await aside(self._archive.bring_there, run_id, row.attempts, row.status, 0.0)
            self._archive.late.discard(run_id)
        except (OSError, OperatorError, Damaged) as problem:
            if not self._archive.storage.trouble:
                log.warning("worker: run %s could not be brought to storage: %s", run_id, problem)
            return False
        return True


def _only_here(folder: Path) -> set[str]:
    """Folders of runs without a note that storage has them."""
    with os.scandir(folder) as entries:
        return {entry.name for entry in entries if not entry.name.startswith(".") and not notes(Path(entry.path))}
