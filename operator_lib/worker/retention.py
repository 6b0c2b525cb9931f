"""Runs that ended long ago are forgotten, with their folders; and so are folders that no run belongs to."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import time
from collections.abc import Callable

from operator_lib.errors import OperatorError
from operator_lib.worker.archive.upkeep import Upkeep
from operator_lib.worker.collection import Collection
from operator_lib.worker.places import Places
from operator_lib.worker.runs import Runs
from operator_lib.worker.store.base import Store

log = logging.getLogger("operator_lib.worker")

DAY = 86400.0
# Seconds after its end during which a run is kept, however many there are: somebody is about to read it.
SETTLED = 3600.0
# Seconds between two looks.
PAUSE = 3600.0
# Runs that are removed in one go.
BATCH = 200
# After the clock was set by more than so many seconds, age is not believed for a day.
LEAP = 3600.0


class Retention:
    """Keeps the history of a worker within its bounds.

    Args:
        keep_runs: so many that have ended, the latest; 0 keeps all.
        keep_days: for so many days after their end; 0 keeps them for ever.
        clock: seconds since the epoch; `uptime`: seconds that nobody can set.
    """

    def __init__(
        self,
        store: Store,
        where: Places,
        runs: Runs,
        collection: Collection,
        keep_runs: int,
        keep_days: float,
        clock: Callable[[], float] = time.time,
        uptime: Callable[[], float] | None = None,
        upkeep: Upkeep | None = None,
    ) -> None:
        self._store = store
        self._places = where
        self._runs = runs
        self._collection = collection
        self._upkeep = upkeep
        self._collect_at = 0.0
        self._keep_runs = keep_runs
        self._keep_days = keep_days
        self._clock = clock
        self._uptime = uptime or _uptime
        self._offset = clock() - self._uptime()
        self._believed_from = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self, alone: bool = True) -> None:
        """Look from now on, now and then. Before anything can be submitted, unless another worker is there."""
        there = os.listdir(self._places.home / "runs") if alone else []
        self._task = asyncio.create_task(self._work(there))

    async def stop(self) -> None:
        """Leave everything as it is."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _work(self, there: list[str]) -> None:
        with contextlib.suppress(OSError, OperatorError):
            await self.clear_strays(there)
        while True:
            try:
                removed = await self.sweep()
                if removed:
                    log.info("worker: %d old runs removed", removed)
                await self._collect()
                if self._upkeep is not None:
                    await self._upkeep.trim()
            except (OSError, OperatorError) as problem:
                log.warning("worker: old runs could not be removed: %s", problem)
            await asyncio.sleep(PAUSE)

    async def _collect(self) -> None:
        """Once a day, what nothing names any more."""
        if self._uptime() >= self._collect_at and self._believable():
            removed = await self._collection.sweep()
            removed += await self._upkeep.sweep() if self._upkeep is not None else 0
            self._collect_at = self._uptime() + DAY
            if removed:
                log.info("worker: %d files and folders removed that nothing named any more", removed)

    async def sweep(self) -> int:
        """Remove what is too old or too much; how many runs."""
        now, removed = self._clock(), 0
        oldest = now - self._keep_days * DAY if self._keep_days and self._believable() else None
        while True:
            found = await self._store.expired_runs(oldest, self._keep_runs or None, now - SETTLED, BATCH)
            ids = await self._store.forget_runs([run_id for run_id in found if not self._runs.needed[run_id]])
            # The rows first: a folder without a row is found by the next worker, a row without a folder by a caller.
            await asyncio.to_thread(self._remove, [i for i in ids if not self._runs.needed[i]])
            if self._upkeep is not None:
                await self._upkeep.forget(ids)
            removed += len(ids)
            if len(ids) < BATCH:
                return removed

    def _believable(self) -> bool:
        """Whether the clock goes on as it did: one that was set far ahead must not cost the whole history."""
        uptime = self._uptime()
        offset = self._clock() - uptime
        if abs(offset - self._offset) > LEAP:
            leap = offset - self._offset
            log.warning("worker: the clock was set by %.0f s; no run is removed for its age for a day", leap)
            self._offset, self._believed_from = offset, uptime + DAY
        return uptime >= self._believed_from

    async def clear_strays(self, there: list[str]) -> None:
        """Remove those of the folders that belong to no run: a worker that was killed has left them."""
        for start in range(0, len(there), BATCH):
            names = there[start : start + BATCH]
            known = await self._store.known_runs(names)
            await asyncio.to_thread(self._remove, [name for name in names if name not in known])

    def _remove(self, ids: list[str]) -> None:
        for run_id in ids:
            shutil.rmtree(self._places.run(run_id), ignore_errors=True)


def _uptime() -> float:
    """Seconds since the machine was started, sleep included."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
