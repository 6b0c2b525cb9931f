"""Runs of jobs: accepted, started when there is room, recorded exactly once, whatever dies."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from operator_lib.engine.process import Exit
from operator_lib.engine.verdict import RETRIED, Verdict, judge, outcome
from operator_lib.errors import NotFound, NotReady
from operator_lib.executors.base import Executor, Process
from operator_lib.executors.gpus import Taken
from operator_lib.options import Options
from operator_lib.worker import history, places
from operator_lib.worker.archive.archive import Archive
from operator_lib.worker.blobs import Blobs
from operator_lib.worker.chronicle import Chronicle
from operator_lib.worker.ids import new_id
from operator_lib.worker.insist import STORE_PAUSE, Insist
from operator_lib.worker.objects.base import ObjectsError
from operator_lib.worker.peers import ALL
from operator_lib.worker.places import Places
from operator_lib.worker.queue import Queue
from operator_lib.worker.reserve import Reserve
from operator_lib.worker.run_spec import run_spec
from operator_lib.worker.secrets import Secrets
from operator_lib.worker.signals import Signals, States
from operator_lib.worker.store.base import Refused, RunRow, Store, StoreError, VersionRow
from operator_lib.worker.store.sql import WAITS
from operator_lib.worker.tasks import Tasks
from operator_lib.worker.tracing import Tracing
from operator_lib.worker.verdict import MAX_CUTS, after_restart

log = logging.getLogger("operator_lib.worker")

# Seconds between SIGTERM and SIGKILL when a run is cancelled.
CANCEL_GRACE = 2.0
# The same while the object storage does not give what a run needs, after it was waited for.
OBJECTS_PAUSE = 5.0
# Seconds between looks at the history of a run that another worker may have.
FOREIGN = 0.2
# Seconds for processes that were killed to be gone.
KILLED = 5.0


class Active:
    """A run that is being started, or has a process."""

    def __init__(self, run_id: str, lease: str) -> None:
        self.id = run_id
        self.lease = lease
        self.attempt = 0  # its number, once it is stored
        self.process: Process | None = None
        self.starting: asyncio.Task[None] | None = None  # what may be cut short: nothing has been done yet
        self.asked = ""  # why it was told to stop
        self.unstored = ""
        self.overdue = ""  # the call that took too long, which the program did not catch
        self.cards = Taken()

    def stop(self, cause: str, grace: float) -> None:
        """Have it end, whether its process is there yet or not."""
        self.asked = self.asked or cause
        if self.process is not None:
            self.process.stop(cause, grace)
        elif self.starting is not None:
            self.starting.cancel()


class Runs:
    """All runs of a worker that have not ended."""

    def __init__(
        self,
        store: Store,
        where: Places,
        executor: Executor,
        environment_of: Callable[[VersionRow], Any],
        slots: int,
        secrets: Secrets,
        max_queued: int,
        tracing: Tracing,
        blobs: Blobs,
        archive: Archive | None = None,
    ) -> None:
        self.tracing = tracing
        self.blobs = blobs
        self.archive = archive
        self.store = store
        self.secrets = secrets
        self.places = where
        self.executor = executor
        self.environment_of = environment_of
        self.active: dict[str, Active] = {}
        # Maps, by run: how to end each.
        self.leases: dict[str, Callable[[], None]] = {}
        # By run: the key that it was last resumed with.
        self.resumed: dict[str, str] = {}
        # How often a run that has ended is being read by a replay: as long it must stay.
        self.needed: Counter[str] = Counter()
        self.closed = asyncio.Event()
        self.insist = Insist(Reserve(where.home / "reserve"), self.closed)
        self.states = States()
        self.stories = Signals()
        self.tasks = Tasks()
        self.chronicle = Chronicle(where, self.leases)
        self.queue = Queue(
            store, self.tasks, slots, max_queued, lambda: len(self.active), self._begin, self.states.accepted
        )
        # Told of every run that has come to its end, for the statistics.
        self.on_end: Callable[[RunRow], Awaitable[None]] = _nobody
        self._left = asyncio.Event()

    # --- watching ------------------------------------------------------------------------------------------------

    def announce(self, run_id: str) -> None:
        """Its state and its history have moved on."""
        self.states.announce(run_id)
        self.stories.announce(run_id)

    def check_open(self) -> None:
        """For streams that would go on for ever.

        Raises:
            NotReady: the worker is going; the caller takes the stream up again with the next one.
        """
        if self.closed.is_set():
            raise NotReady("the worker is stopping; try again in a moment")

    async def state(self, run_id: str) -> RunRow | None:
        """The run, perhaps without its input. Take `states.next` before."""
        return self.states.unchanged.get(run_id) or await self.store.run(run_id)

    async def row(self, run_id: str) -> RunRow:
        """The run.

        Raises:
            NotFound: there is none of that id.
        """
        found = await self.store.run(run_id)
        if found is None:
            raise NotFound(f"no run {run_id!r} on this worker")
        return found

    def story(self, run_id: str) -> asyncio.Event:
        """Set when its history has grown, or may have. Take it before looking."""
        signal = self.stories.next(run_id)
        here = run_id in self.active or run_id in self.leases
        if (
            self.queue.peers is not None and self.queue.peers.live and not here
        ):  # another worker may have it, and tells of its ends
            asyncio.get_running_loop().call_later(FOREIGN, self.stories.announce, run_id)
        return signal

    async def ended(self, run_id: str) -> bool:
        return (await self.row(run_id)).terminal

    def outcome_file(self, row: RunRow) -> Path | None:
        """Where the stored failure or value lies."""
        return outcome(self.places.attempt(row.id, row.attempts))

    async def bring(self, row: RunRow) -> None:
        """Have the files of a run here that has ended, for whoever is about to read them.

        Raises:
            ObjectsError: they are in object storage, which is away or refuses.
        """
        if self.archive is not None:
            await self.archive.bring(row)

    # --- the queue -----------------------------------------------------------------------------------------------

    def _begin(self, run_id: str) -> None:
        """There is a slot for it."""
        if run_id not in self.active:
            active = self.active[run_id] = Active(run_id, new_id())
            self.tasks.spawn(self._start(active))

    def tell(self, run_id: str, status: str, attempt: int, cause: str) -> None:
        """Add a change of status to the history. Only while no process runs."""
        self.chronicle.tell(run_id, status, attempt, cause)
        self.announce(run_id)

    async def take_over(self) -> None:
        """Go on with the runs of workers that are lost."""
        await self._go_on(await self.store.take_over(self.queue.me))

    async def heard(self, run_id: str) -> None:
        """Another worker has changed it: perhaps it is to end, or waits for a slot."""
        if run_id == ALL:
            self.states.announce_all()
        elif run_id == WAITS:
            self.queue.pump()
        else:
            self.announce(run_id)
        for known in [*self.active, *self.leases] if run_id == ALL else {run_id} & {*self.active, *self.leases}:
            if (await self.row(known)).cancel_requested:
                self._stop(known)

    def _stop(self, run_id: str) -> bool:
        """Have it end, if it goes on here."""
        if run_id in self.leases:
            self.leases[run_id]()
        elif run_id in self.active:
            self.active[run_id].stop("cancelled", CANCEL_GRACE)
        else:
            return False
        return True

    def _leave(self, run_id: str) -> None:
        active = self.active.pop(run_id, None)
        if active is not None:
            self.executor.room.give_back(active.cards)
        self._left.set()
        self._left = asyncio.Event()

    # --- one attempt ---------------------------------------------------------------------------------------------

    async def _start(self, active: Active) -> None:
        """Everything that takes time comes before the attempt: what is cut off there has not been started."""
        active.starting = asyncio.current_task()
        row = None
        try:
            row = await self.store.run(active.id)
            if row is None or row.terminal:  # cancelled, and perhaps forgotten, while it waited
                self._leave(active.id)
                self.queue.pump()
                return
            version = await self.store.version(row.deployment_id, row.version)
            if version is None:
                raise NotFound(f"version {row.version} of {row.job} is gone")
            environment = await self.environment_of(version)
            if row.input_ref != "inline" and not self.blobs.here(row.input_ref):
                await self.blobs.aside(self.blobs.path, row.input_ref)
            await self.executor.prepare(environment)
            active.cards = await self.executor.room.wait(
                await self._options(row), "run", row.job, lambda why: self._waits(active, row, why)
            )
        except asyncio.CancelledError:
            await self._not_started(active)
            return
        except StoreError as problem:
            self._put_off(active.id, problem, STORE_PAUSE)
            return
        except ObjectsError as problem:
            self._put_off(active.id, problem, OBJECTS_PAUSE)
            return
        except Exception as error:
            log.exception("run %s could not be started", active.id)
            self._leave(active.id)
            if row is None:
                raise
            await self._close(row, Verdict("FAILED", "internal", f"could not be started: {error}"))
            self.queue.pump()
            return
        active.starting = None
        try:
            await self.queue.sure()
            active.attempt = await self.store.start_attempt(row.id, active.lease, self.queue.me)
        except Refused:
            await self._refused(row.id)
            return
        except StoreError as problem:
            self._put_off(row.id, problem, STORE_PAUSE)
            return
        if active.asked:
            await self._end(active, Exit(stopped=active.asked))
            return
        await self._launch(active, row, version, environment)

    def _put_off(self, run_id: str, problem: Exception, pause: float) -> None:
        """What it needs is away, or the store could not be told that it starts."""
        log.warning("run %s waits: %s", run_id, problem)
        self._leave(run_id)
        self.queue.add(run_id, pause)

    def _waits(self, active: Active, row: RunRow, why: str) -> None:
        """There is no room for it: that is told, for it may take long."""
        if not active.asked:
            self.tell(row.id, "PENDING", row.attempts, why)

    async def _not_started(self, active: Active) -> None:
        """Told to stop before there was an attempt."""
        self._leave(active.id)
        if active.asked == "cancelled":
            row = await self.insist(lambda: self.row(active.id))
            await self._close(row, Verdict("CANCELLED", "cancelled", "cancelled before it started"))
            self.queue.pump()

    async def _launch(self, active: Active, row: RunRow, version: VersionRow, environment: str) -> None:
        run_id = active.id
        try:
            self.tell(run_id, "RUNNING", active.attempt, "")
            inherited = self.executor.variables()
            of = self.places, self.secrets, self.tracing, row, version, active.attempt, active.cards, inherited
            spec = await self.insist(lambda: run_spec(*of))
            active.process = await self.executor.spawn(environment, spec, lambda message: self._hear(active, message))
        except Exception as error:
            log.exception("run %s could not be started", run_id)
            await self._record(active, Verdict("FAILED", "internal", f"could not be started: {error}"), Exit())
            return
        if active.asked:  # meanwhile
            active.process.stop(active.asked, 0)

    async def _refused(self, run_id: str) -> None:
        """The store does not let it start: it has ended meanwhile, or is to be cancelled."""
        self._leave(run_id)
        row = await self.insist(lambda: self.row(run_id))
        if row.owner != self.queue.me:
            log.warning("run %s is another worker's", run_id)
        elif row.cancel_requested and not row.terminal:
            await self._close(row, Verdict("CANCELLED", "cancelled", "cancelled before it started"))
        elif not row.terminal:
            await self._close(row, Verdict("FAILED", "worker_lost", "worker restarted (at_most_once)"))
        self.queue.pump()

    def _hear(self, active: Active, message: dict[str, Any]) -> None:
        if "exit" in message:
            self.tasks.spawn(self._end(active, message["exit"]))
        elif "unstored" in message:
            active.unstored = str(message["unstored"].get("message", ""))
        elif "overdue" in message:
            active.overdue = str(message["overdue"].get("message", ""))
        else:
            self.stories.announce(active.id)

    async def _end(self, active: Active, ended: Exit) -> None:
        """The process is gone: what came of it?"""
        await self.queue.sure()
        row = await self.insist(lambda: self.row(active.id))
        options = await self.insist(lambda: self._options(row))
        folder = self.places.attempt(row.id, active.attempt)
        verdict = judge(folder, active.asked, ended, active.unstored, active.overdue)
        if ended.blamed and not active.asked and not row.at_most_once:
            # The program is told where it made the call: it may want to catch that.
            await self._requeue(active, replace(verdict, kind="child_timeout"), ended, crash=False)
            return
        if verdict.cut and not row.at_most_once:
            asked = active.asked == "worker"
            if asked or row.crashes + 1 < MAX_CUTS:
                await self._requeue(active, verdict, ended, crash=not asked)
                return
            verdict = Verdict("FAILED", "worker_lost", f"cut off {row.crashes + 1} times: {verdict.cause}")
        retry = await self.insist(lambda: self._retry(row, options, active, verdict))
        if retry is not None:
            await self._requeue(active, verdict, ended, crash=False, delay=retry)
            return
        await self._record(active, verdict, ended)

    async def _options(self, row: RunRow) -> Options:
        version = await self.store.version(row.deployment_id, row.version)
        return Options.from_json(json.loads(version.options_json or "{}")) if version else Options()

    async def _retry(self, row: RunRow, options: Options, active: Active, verdict: Verdict) -> float | None:
        """Seconds until it is tried again, or None."""
        policy = options.retries
        if policy is None or active.asked or active.overdue or verdict.kind not in RETRIED:
            return None
        earlier = (
            attempt for attempt in await self.store.attempts(row.id) if attempt.ended and attempt.n > row.forgiven
        )
        failures = 1 + sum(attempt.cause_kind in RETRIED for attempt in earlier)
        return policy.delay(failures) if failures <= policy.max_retries else None

    async def _requeue(self, active: Active, verdict: Verdict, ended: Exit, *, crash: bool, delay: float = 0) -> None:
        run_id = active.id
        await places.clear(self.places.attempt(run_id, active.attempt), keep=True)
        self.tell(run_id, "PENDING", active.attempt, f"{verdict.cause}; to be started again")
        await self.insist(
            lambda: self.store.requeue(
                run_id, active.lease, verdict.kind, verdict.cause, crash, ended.code, ended.signal, peak(ended)
            )
        )
        self._leave(run_id)
        self.announce(run_id)
        self.queue.add(run_id, delay)

    async def _record(self, active: Active, verdict: Verdict, ended: Exit) -> None:
        """The outcome of a run, once."""
        run_id = active.id
        folder = self.places.attempt(run_id, active.attempt)
        # The history first: whoever sees the run ended finds its whole story.
        self.tell(run_id, verdict.status, active.attempt, verdict.cause)
        if self.archive is not None:
            await self.archive.take(run_id, active.attempt, verdict.status)
        await self.insist(
            lambda: self.store.finish_run(
                run_id,
                active.lease,
                verdict.status,
                verdict.kind,
                verdict.cause,
                places.value_size(folder),
                ended.code,
                ended.signal,
                peak(ended),
            )
        )
        self._leave(run_id)
        self.announce(run_id)
        self.queue.pump()
        await places.clear(folder, keep=True)
        await self.on_end(await self.insist(lambda: self.row(run_id)))

    # --- cancelling, stopping, coming back -----------------------------------------------------------------------

    async def cancel(self, run_id: str) -> RunRow:
        """Ask a run to end. One that has ended stays as it is."""
        row = await self.row(run_id)
        if row.terminal:
            return row
        row = await self.store.request_cancel(run_id)
        if self._stop(run_id) or row.terminal or row.kind != "run":
            return await self.row(run_id)
        if row.owner == self.queue.me or await self.store.claim_run(self.queue.me, run_id):
            self.queue.drop(run_id)
            await self._close(row, Verdict("CANCELLED", "cancelled", "cancelled before it started"))
        return await self.row(run_id)

    async def recover(self) -> None:
        """After a start: adopt outcomes that were not recorded, put the rest back into the queue."""
        await self._go_on(await self.store.recover(self.queue.me))

    async def _go_on(self, rows: list[RunRow]) -> None:
        for row in rows:
            ended = after_restart(row, self.outcome_file(row) if row.attempts else None)
            if ended is not None:
                await self._close(row, ended)
                continue
            if row.attempts:
                self.tell(row.id, "PENDING", row.attempts, "worker restarted")
                await places.clear(self.places.attempt(row.id, row.attempts), keep=True)
            self.queue.waiting.append(row.id)
        self.queue.pump()

    async def _close(self, row: RunRow, verdict: Verdict) -> None:
        """End a run that has no process (any more)."""
        await self.queue.sure()
        folder = self.places.attempt(row.id, row.attempts)
        if history.last_status(self.places.events(row.id)) != verdict.status:
            self.tell(row.id, verdict.status, row.attempts, verdict.cause)
        if self.archive is not None:
            await self.archive.take(row.id, row.attempts, verdict.status)
        await self.insist(
            lambda: self.store.close_run(
                row.id, verdict.status, verdict.kind, verdict.cause, places.value_size(folder), self.queue.me
            )
        )
        self.announce(row.id)
        if row.attempts:
            await places.clear(folder, keep=True)
        await self.on_end(await self.insist(lambda: self.row(row.id)))

    async def drain(self, seconds: float) -> None:
        """Stop taking runs; wait for those that run; cut off the rest, to be started again later."""
        self.queue.accepting = False
        await self._idle(seconds)
        for active in list(self.active.values()):
            active.stop("worker", 0)
        for end in list(self.leases.values()):
            end()
        await self._idle(KILLED)
        self.closed.set()
        self.states.announce_all()
        self.stories.announce_all()
        await self.tasks.settle(KILLED)

    async def _idle(self, seconds: float) -> None:
        """Wait until nothing runs, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                while self.active or self.leases:
                    await self._left.wait()
        except TimeoutError:
            return

    def end_lease(self, run_id: str) -> None:
        """A map is over."""
        self.leases.pop(run_id, None)
        self._leave(run_id)


async def _nobody(row: RunRow) -> None:
    """Nobody wants to know."""


def peak(ended: Exit) -> int:
    """Memory at its highest, in bytes."""
    return ended.peak_rss * 1024
