"""What storage and its copies in the home need now and then: removal of what is not needed, here and there."""

from __future__ import annotations

import contextlib
import logging

from operator_lib.worker.archive.archive import Archive
from operator_lib.worker.archive.room import trim
from operator_lib.worker.blobs.mirrored import Mirrored
from operator_lib.worker.collection import GRACE
from operator_lib.worker.ids import ALPHABET
from operator_lib.worker.objects.base import ObjectsError
from operator_lib.worker.objects.storage import Storage
from operator_lib.worker.places import Places
from operator_lib.worker.store.base import Store

# Runs that the store is asked about in one go.
BATCH = 200

log = logging.getLogger("operator_lib.worker")


class Upkeep:
    """For a worker with object storage. `limit`: bytes of copies that may lie in the home."""

    def __init__(
        self, storage: Storage, store: Store, where: Places, blobs: Mirrored, archive: Archive, limit: float
    ) -> None:
        self._storage = storage
        self._store = store
        self._places = where
        self._blobs = blobs
        self._archive = archive
        self._limit = limit

    async def forget(self, run_ids: list[str]) -> None:
        """Runs are forgotten: so are their files in storage. What is left goes with `sweep`."""
        self._archive.late.difference_update(run_ids)
        with contextlib.suppress(ObjectsError):
            await self._storage.aside(self._archive.forget, run_ids)

    async def trim(self) -> None:
        """Keep the copies within their bounds."""
        removed = await self._storage.aside(trim, self._places, self._blobs, self._archive, self._limit)
        if removed:
            log.info("worker: %.1f MB of copies removed that storage has", removed / 1e6)

    async def sweep(self) -> int:
        """Remove from storage what belongs to no run, and halves of uploads; how many runs.

        Raises:
            ObjectsError: storage is away or refuses.
        """
        await self._storage.aside(self._storage.insist, lambda objects: objects.tidy(GRACE))
        before = await self._storage.aside(self._storage.clock) - GRACE
        removed = 0
        for last in ALPHABET:
            old = await self._storage.aside(self._archive.older, last, before)
            for start in range(0, len(old), BATCH):
                ids = old[start : start + BATCH]
                strays = set(ids) - await self._store.known_runs(ids)
                await self._storage.aside(self._archive.forget, strays)
                removed += len(strays)
        return removed
