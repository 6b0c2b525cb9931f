"""Runs that wait for a slot: accepted, counted, shared with the other workers, started when there is room."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from operator_lib.errors import NotReady, QueueFull
from operator_lib.worker.peers import Peers
from operator_lib.worker.store.base import RunRow, Store, StoreError
from operator_lib.worker.tasks import Tasks

log = logging.getLogger("operator_lib.worker")

# Seconds after which somebody who was refused may try again.
FULL = 10.0


@dataclass(eq=False)
class Queue:
    """Those of one worker, in their order."""

    store: Store
    tasks: Tasks
    slots: int
    """Runs that may be active at the same time."""
    most: int
    """Runs that may wait."""
    active: Callable[[], int]
    """How many are active."""
    start: Callable[[str], None]
    """Called with a run for which there is a slot."""
    accepted: Callable[[RunRow], None]
    """Called with a run that is new, once it is stored, before anything becomes of it."""
    peers: Peers | None = None
    """The other workers on the same database, where there can be some."""
    accepting: bool = True
    waiting: deque[str] = field(default_factory=deque[str])
    _entering: int = 0  # runs that are being stored
    _claiming: bool = False
    _unclaimed: int = 0  # runs that wait for any worker, as of the last look

    @property
    def me(self) -> str:
        """What this worker is called among several."""
        return self.peers.id if self.peers is not None else ""

    async def sure(self) -> None:
        """Returns while what this worker has is its own."""
        if self.peers is not None:
            await self.peers.sure()

    async def submit(self, row: RunRow) -> RunRow:
        """Accept a run: once this returns it survives the death of the worker.

        Raises:
            NotReady: the worker is stopping.
            QueueFull: too many are waiting. Nothing has been stored.
            Conflict: the idempotency key was used with another input.
        """
        if not self.accepting:
            raise NotReady("the worker is stopping; try again in a moment")
        if self._full():
            if row.idempotency_key and await self.store.run_by_key(row.deployment_id, row.idempotency_key) is not None:
                return (await self.store.submit_run(row))[0]  # it is in already, or in conflict with one that is
            raise QueueFull(f"{self.most:,} runs are waiting already; try again later", retry_after=FULL)
        self._entering += 1
        try:
            stored, existed = await self.store.submit_run(replace(row, owner=self.me))
        finally:
            self._entering -= 1
        if not existed:
            await self.sure()
            self.accepted(stored)
            self.add(stored.id)
            await self.share()
        return stored

    async def share(self) -> None:
        """Runs that find no slot here are nobody's, where there is somebody else who may have one."""
        if self.peers is None or not self.peers.live or not self.waiting:
            return
        given = list(self.waiting)
        self.waiting.clear()
        try:
            await self.store.release(self.me, given)
        except StoreError as problem:
            log.warning("%d runs wait for a slot here: %s", len(given), problem)
            self.waiting.extendleft(reversed(given))

    def _full(self) -> bool:
        """Whether one more would have to wait, and too many do."""
        free = max(0, self.slots - self.active())
        return self.queued + self._entering >= self.most + free

    @property
    def queued(self) -> int:
        """Runs that wait for a slot, here or wherever one is free first."""
        return len(self.waiting) + self._unclaimed

    def add(self, run_id: str, delay: float = 0.0) -> None:
        """It waits for a slot, after so many seconds; here, whoever else has one free."""

        def now() -> None:
            self.waiting.append(run_id)
            self.pump()

        if delay > 0:
            asyncio.get_running_loop().call_later(delay, now)
        else:
            now()

    def drop(self, run_id: str) -> None:
        """It does not wait any more."""
        self.waiting = deque(waiting for waiting in self.waiting if waiting != run_id)

    def pump(self) -> None:
        """Start as many waiting runs as there is room for."""
        while self.accepting and self.waiting and self.active() < self.slots:
            self.start(self.waiting.popleft())
        if self.peers is not None and self.accepting and self.active() < self.slots and not self._claiming:
            self._claiming = True
            self.tasks.spawn(self._claim())

    async def _claim(self) -> None:
        """Take over runs that wait and are nobody's, for the slots that are free."""
        try:
            found = await self.store.claim(self.me, self.slots - self.active())
        except StoreError:  # asked again with the next sign of life
            return
        finally:
            self._claiming = False
        if found:
            self.waiting.extend(found)
            self.pump()

    async def look(self) -> None:
        """After a sign of life: share what waits here, and see what waits for anybody."""
        await self.share()
        self._unclaimed = await self.store.unclaimed(2 * self.most)
        self.pump()
