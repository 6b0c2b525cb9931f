"""Runs that start by themselves: what is due is submitted once, whatever dies, and however the clock is set."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from operator_lib.errors import NotFound, NotReady, OperatorError, QueueFull
from operator_lib.worker import cron
from operator_lib.worker.accepted import new_run
from operator_lib.worker.ids import new_id
from operator_lib.worker.queue import Queue
from operator_lib.worker.store.base import DeploymentRow, ScheduleRow, Store, StoreError

log = logging.getLogger("operator_lib.worker")

# Seconds by which a run may be late, when the schedule does not say; at least, and at most.
GRACE = 3600.0
SHORTEST_GRACE = 60.0
LONGEST_GRACE = 7 * 86400.0
# Seconds between looks at the clock: it may be set while we sleep.
LOOK = 20.0
# Seconds until what could not be submitted is tried again.
AGAIN = 5.0
# A schedule that has come further than this (seconds) beyond now was led there by a wrong clock.
AHEAD = 86400.0
# Bytes of the encoded arguments.
LARGEST_INPUT = 1 << 20


class Schedules:
    """All schedules of a worker.

    Each time that is due has a run with a key made of the schedule and that time. So a worker that dies between
    submitting a run and noting it finds the same run again, and never starts a second one.
    """

    def __init__(self, store: Store, queue: Queue, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._queue = queue
        self._clock = clock
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def create(
        self, job: DeploymentRow, text: str, zone: str, data: bytes, grace: float | None = None, key: str = ""
    ) -> ScheduleRow:
        """A new schedule; the one that was made with the same `key`, where there is one.

        Raises:
            ValueError: the expression, the zone, the grace or the size of the input is out of range.
        """
        zone, grace = zone or "UTC", GRACE if grace is None else grace
        cron.parse(text, zone)
        if not SHORTEST_GRACE <= grace <= LONGEST_GRACE:
            raise ValueError(
                f"grace: must be between {SHORTEST_GRACE:.0f} and {LONGEST_GRACE:.0f} seconds, got {grace:g}"
            )
        if len(data) > LARGEST_INPUT:
            raise ValueError(f"inputs of a schedule: {len(data):,} bytes encoded, at most {LARGEST_INPUT:,} are kept")
        now = self._clock()
        row = ScheduleRow(new_id(), job.id, job.name, " ".join(text.split()), zone, grace, created=now, since=now)
        row = await self._store.put_schedule(row, data, key)
        self._changed.set()
        return row

    async def listed(self, job: DeploymentRow | None = None) -> list[ScheduleRow]:
        """The oldest first; of one job, or all."""
        return await self._store.schedules(job.id if job is not None else None)

    async def find(self, schedule_id: str) -> ScheduleRow:
        """One by id.

        Raises:
            NotFound: there is none.
        """
        row = await self._store.schedule(schedule_id)
        if row is None:
            raise NotFound(f"no schedule {schedule_id!r} on this worker")
        return row

    def next(self, row: ScheduleRow) -> float | None:
        """When it is due next (seconds since the epoch); None while it is paused."""
        return None if row.paused else cron.parse(row.cron, row.timezone).after(max(row.since, self._clock()))

    async def pause(self, row: ScheduleRow) -> None:
        """No further runs, until `resume`."""
        await self._store.pause_schedule(row.id, True, self._clock())

    async def resume(self, row: ScheduleRow) -> None:
        """Runs again, beginning with the next that is due."""
        await self._store.pause_schedule(row.id, False, self._clock())
        self._changed.set()

    async def remove(self, row: ScheduleRow) -> None:
        """Its runs stay."""
        await self._store.remove_schedule(row.id)

    # --- the clock -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Look at the clock from now on."""
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Start nothing any more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _work(self) -> None:
        while True:
            self._changed.clear()
            try:
                pause = await self.tick()
            except Exception:
                log.exception("worker: schedules")
                pause = LOOK
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), pause)

    async def tick(self) -> float:
        """Submit what is due; seconds until the next look."""
        now = self._clock()
        pause = LOOK
        for known in await self._store.schedules():
            row = await self._store.schedule(known.id)  # as it is now: others were waited for meanwhile
            if row is None or row.paused:
                continue
            try:
                pause = min(pause, await self._look(row, now))
            except (OperatorError, ValueError) as problem:  # one that cannot be dealt with holds up no other
                log.warning("schedule %s of %s: %s", row.id, row.job, problem)
                pause = min(pause, AGAIN)
        return max(0.0, pause)

    async def _look(self, row: ScheduleRow, now: float) -> float:
        """Deal with one; seconds until it is due again."""
        expression = cron.parse(row.cron, row.timezone)
        if row.since > now + AHEAD:
            await self._store.advance_schedule(row.since, replace(row, since=now))
            return 0.0
        due = expression.after(row.since)
        if due is None or due > now:
            return LOOK if due is None else due - now
        # Several that have come due while nobody looked are one run: that of the last.
        last = expression.last(max(row.since, now - row.grace), now)
        if last is None:
            words = f"nothing was started for {_moment(due)}: it was found {now - due:.0f} s late"
            log.warning("schedule %s of %s: %s", row.id, row.job, words)
            await self._store.advance_schedule(row.since, replace(row, since=now, note=words))
            return 0.0
        return await self._fire(row, last)

    async def _fire(self, row: ScheduleRow, due: float) -> float:
        job = await self._store.deployment(id=row.deployment_id)
        if job is None or job.deleted is not None:
            await self._store.remove_schedule(row.id)
            return LOOK
        data = await self._store.schedule_input(row.id)
        run = new_run(
            job,
            job.live_version,
            idempotency_key=f"schedule:{row.id}:{due:.0f}",
            input_sha256=hashlib.sha256(data).hexdigest(),
            input_inline=data,
            input_ref="inline",
        )
        try:
            run = await self._queue.submit(run)
        except (QueueFull, NotReady, StoreError) as problem:  # tried again for as long as its grace lasts
            words = f"the run due at {_moment(due)} waits: {problem}"
            await self._store.advance_schedule(row.since, replace(row, note=words))
            return AGAIN
        await self._store.advance_schedule(row.since, replace(row, since=due, last=due, last_run=run.id, note=""))
        return 0.0


def _moment(due: float) -> str:
    return datetime.fromtimestamp(due, UTC).strftime("%Y-%m-%d %H:%M UTC")
