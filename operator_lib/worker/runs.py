"""Runs of jobs: accepted, started when there is room, recorded exactly once, whatever dies."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from operator_lib.engine.process import VALUE, Exit
from operator_lib.engine.verdict import RETRIED, Verdict, judge, outcome
from operator_lib.errors import NotFound, NotReady, QueueFull
from operator_lib.executors.base import Executor, Process
from operator_lib.executors.gpus import Taken
from operator_lib.options import Options
from operator_lib.worker import history, places
from operator_lib.worker.ids import new_id
from operator_lib.worker.places import Places
from operator_lib.worker.reserve import Reserve
from operator_lib.worker.run_spec import run_spec
from operator_lib.worker.secrets import Secrets
from operator_lib.worker.signals import Signals
from operator_lib.worker.store.base import Refused, RunRow, Store, StoreError, VersionRow
from operator_lib.worker.tasks import Tasks
from operator_lib.worker.tracing import Tracing
from operator_lib.worker.verdict import MAX_CUTS, after_restart

log = logging.getLogger("operator_lib.worker")
T = TypeVar("T")

# Seconds after which somebody who was refused may try again.
FULL = 10.0
# Seconds between SIGTERM and SIGKILL when a run is cancelled.
CANCEL_GRACE = 2.0
# Seconds between tries while the store cannot be written (a full disk).
STORE_PAUSE = 1.0
# Seconds for processes that were killed to be gone.
KILLED = 5.0


class Active:
    """A run that is being started, or has a process."""

    def __init__(self, row: RunRow, lease: str) -> None:
        self.row = row
        self.lease = lease
        self.attempt = row.attempts + 1
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
    ) -> None:
        self.tracing = tracing
        self.store = store
        self.secrets = secrets
        self.places = where
        self.executor = executor
        self.environment_of = environment_of
        self.slots = slots
        self.max_queued = max_queued
        self._entering = 0  # runs that are being stored
        self.waiting: deque[str] = deque()
        self.active: dict[str, Active] = {}
        # Maps, by run: how to end each.
        self.leases: dict[str, Callable[[], None]] = {}
        # By run: the key that it was last resumed with.
        self.resumed: dict[str, str] = {}
        # How often a run that has ended is being read by a replay: as long it must stay.
        self.needed: Counter[str] = Counter()
        self.reserve = Reserve(where.home / "reserve")
        self.accepting = True
        self.closed = asyncio.Event()
        self.states = Signals()
        self.stories = Signals()
        self.tasks = Tasks()
        # Told of every run that has come to its end, for the statistics.
        self.on_end: Callable[[RunRow], None] = lambda row: None
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

    def row(self, run_id: str) -> RunRow:
        """The run.

        Raises:
            NotFound: there is none of that id.
        """
        found = self.store.run(run_id)
        if found is None:
            raise NotFound(f"no run {run_id!r} on this worker")
        return found

    def ended(self, run_id: str) -> bool:
        return self.row(run_id).terminal

    def outcome_file(self, row: RunRow) -> Path | None:
        """Where the stored failure or value lies."""
        return outcome(self.places.attempt(row.id, row.attempts))

    # --- accepting -----------------------------------------------------------------------------------------------

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
            if row.idempotency_key and self.store.run_by_key(row.deployment_id, row.idempotency_key) is not None:
                return (await self.store.submit_run(row))[0]  # it is in already, or in conflict with one that is
            raise QueueFull(f"{self.max_queued:,} runs are waiting already; try again later", retry_after=FULL)
        self._entering += 1
        try:
            stored, existed = await self.store.submit_run(row)
        finally:
            self._entering -= 1
        if not existed:
            self.tell(stored.id, "PENDING", 0, "")
            self.waiting.append(stored.id)
            self.pump()
        return stored

    def _full(self) -> bool:
        """Whether one more would have to wait, and too many do."""
        free = max(0, self.slots - len(self.active))
        return len(self.waiting) + self._entering >= self.max_queued + free

    def tell(self, run_id: str, status: str, attempt: int, cause: str) -> None:
        """Add a change of status to the history. Only while no process runs."""
        event: dict[str, Any] = {"kind": "status", "t": time.time(), "status": status, "attempt": attempt}
        if cause:
            event["cause"] = cause
        try:
            self.places.run(run_id).mkdir(parents=True, exist_ok=True, mode=0o700)
            history.append(self.places.events(run_id), event)
        except OSError as problem:  # the store has the status; the story of it can wait for room on the disk
            log.warning("run %s: history not written: %s", run_id, problem)
        self.announce(run_id)

    def pump(self) -> None:
        """Start as many waiting runs as there is room for."""
        while self.accepting and self.waiting and len(self.active) < self.slots:
            run_id = self.waiting.popleft()
            row = self.store.run(run_id)
            if row is None or row.terminal or run_id in self.active:
                continue
            active = self.active[run_id] = Active(row, new_id())
            self.tasks.spawn(self._start(active))

    def _again(self, run_id: str, delay: float) -> None:
        """Put it back into the queue after so many seconds."""

        def later() -> None:
            self.waiting.append(run_id)
            self.pump()

        if delay > 0:
            asyncio.get_running_loop().call_later(delay, later)
        else:
            later()

    def _leave(self, run_id: str) -> None:
        active = self.active.pop(run_id, None)
        if active is not None:
            self.executor.cards.give_back(active.cards)
        self._left.set()
        self._left = asyncio.Event()

    # --- one attempt ---------------------------------------------------------------------------------------------

    async def _start(self, active: Active) -> None:
        """Everything that takes time comes before the attempt: what is cut off there has not been started."""
        row = active.row
        active.starting = asyncio.current_task()
        try:
            version = self.store.version(row.deployment_id, row.version)
            if version is None:
                raise NotFound(f"version {row.version} of {row.job} is gone")
            environment = await self.environment_of(version)
            await self.executor.prepare(environment)
            active.cards = await self.executor.cards.wait(self._options(row).gpu)
        except asyncio.CancelledError:
            await self._not_started(active)
            return
        except Exception as error:
            log.exception("run %s could not be started", row.id)
            self._leave(row.id)
            await self._close(row, Verdict("FAILED", "internal", f"could not be started: {error}"))
            self.pump()
            return
        active.starting = None
        try:
            active.attempt = await self.store.start_attempt(row.id, active.lease)
        except Refused:
            await self._refused(row.id)
            return
        except StoreError as problem:
            log.warning("run %s waits: %s", row.id, problem)
            self._leave(row.id)
            self._again(row.id, STORE_PAUSE)
            return
        if active.asked:
            await self._end(active, Exit(stopped=active.asked))
            return
        await self._launch(active, version, environment)

    async def _not_started(self, active: Active) -> None:
        """Told to stop before there was an attempt."""
        self._leave(active.row.id)
        if active.asked == "cancelled":
            await self._close(active.row, Verdict("CANCELLED", "cancelled", "cancelled before it started"))
            self.pump()

    async def _launch(self, active: Active, version: VersionRow, environment: str) -> None:
        run_id = active.row.id
        try:
            self.tell(run_id, "RUNNING", active.attempt, "")
            inherited = self.executor.variables()
            spec = run_spec(
                self.places, self.secrets, self.tracing, active.row, version, active.attempt, active.cards, inherited
            )
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
        row = self.row(run_id)
        if row.cancel_requested and not row.terminal:
            await self._close(row, Verdict("CANCELLED", "cancelled", "cancelled before it started"))
        elif not row.terminal:
            await self._close(row, Verdict("FAILED", "worker_lost", "worker restarted (at_most_once)"))
        self.pump()

    def _hear(self, active: Active, message: dict[str, Any]) -> None:
        if "exit" in message:
            self.tasks.spawn(self._end(active, message["exit"]))
        elif "unstored" in message:
            active.unstored = str(message["unstored"].get("message", ""))
        elif "overdue" in message:
            active.overdue = str(message["overdue"].get("message", ""))
        else:
            self.stories.announce(active.row.id)

    async def _end(self, active: Active, ended: Exit) -> None:
        """The process is gone: what came of it?"""
        row = self.row(active.row.id)
        options = self._options(row)
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
        retry = self._retry(row, options, active, verdict)
        if retry is not None:
            await self._requeue(active, verdict, ended, crash=False, delay=retry)
            return
        await self._record(active, verdict, ended)

    def _options(self, row: RunRow) -> Options:
        version = self.store.version(row.deployment_id, row.version)
        return Options.from_json(json.loads(version.options_json or "{}")) if version else Options()

    def _retry(self, row: RunRow, options: Options, active: Active, verdict: Verdict) -> float | None:
        """Seconds until it is tried again, or None."""
        policy = options.retries
        if policy is None or active.asked or active.overdue or verdict.kind not in RETRIED:
            return None
        earlier = (attempt for attempt in self.store.attempts(row.id) if attempt.ended and attempt.n > row.forgiven)
        failures = 1 + sum(attempt.cause_kind in RETRIED for attempt in earlier)
        return policy.delay(failures) if failures <= policy.max_retries else None

    async def _requeue(self, active: Active, verdict: Verdict, ended: Exit, *, crash: bool, delay: float = 0) -> None:
        run_id = active.row.id
        await places.clear(self.places.attempt(run_id, active.attempt), keep=True)
        self.tell(run_id, "PENDING", active.attempt, f"{verdict.cause}; to be started again")
        await self._insist(
            lambda: self.store.requeue(
                run_id, active.lease, verdict.kind, verdict.cause, crash, ended.code, ended.signal, peak(ended)
            )
        )
        self._leave(run_id)
        self.announce(run_id)
        self._again(run_id, delay)

    async def _record(self, active: Active, verdict: Verdict, ended: Exit) -> None:
        """The outcome of a run, once."""
        run_id = active.row.id
        folder = self.places.attempt(run_id, active.attempt)
        # The history first: whoever sees the run ended finds its whole story.
        self.tell(run_id, verdict.status, active.attempt, verdict.cause)
        await self._insist(
            lambda: self.store.finish_run(
                run_id,
                active.lease,
                verdict.status,
                verdict.kind,
                verdict.cause,
                value_size(folder),
                ended.code,
                ended.signal,
                peak(ended),
            )
        )
        self._leave(run_id)
        self.announce(run_id)
        self.on_end(self.row(run_id))
        self.pump()
        await places.clear(folder, keep=True)

    async def _insist(self, write: Callable[[], Awaitable[T]]) -> T:
        """Write to the store, again and again while the disk is full: an outcome is not dropped.

        Raises:
            StoreError: the worker is going; the next one finds the outcome where the process has left it.
        """
        while True:
            try:
                written = await write()
                self.reserve.hold()
                return written
            except StoreError as problem:
                if self.reserve.release():
                    continue
                if self.closed.is_set():
                    raise
                log.warning("worker: %s", problem)
                await asyncio.sleep(STORE_PAUSE)

    # --- cancelling, stopping, coming back -----------------------------------------------------------------------

    async def cancel(self, run_id: str) -> RunRow:
        """Ask a run to end. One that has ended stays as it is."""
        row = self.row(run_id)
        if row.terminal:
            return row
        row = await self.store.request_cancel(run_id)
        if run_id in self.leases:
            self.leases[run_id]()
        elif run_id in self.active:
            self.active[run_id].stop("cancelled", CANCEL_GRACE)
        elif not row.terminal and row.kind == "run":
            self.waiting = deque(waiting for waiting in self.waiting if waiting != run_id)
            await self._close(row, Verdict("CANCELLED", "cancelled", "cancelled before it started"))
        return self.row(run_id)

    async def recover(self) -> None:
        """After a start: adopt outcomes that were not recorded, put the rest back into the queue."""
        for row in await self.store.recover():
            ended = after_restart(row, self.outcome_file(row) if row.attempts else None)
            if ended is not None:
                await self._close(row, ended)
                continue
            if row.attempts:
                self.tell(row.id, "PENDING", row.attempts, "worker restarted")
                await places.clear(self.places.attempt(row.id, row.attempts), keep=True)
            self.waiting.append(row.id)
        self.pump()

    async def _close(self, row: RunRow, verdict: Verdict) -> None:
        """End a run that has no process (any more)."""
        folder = self.places.attempt(row.id, row.attempts)
        if history.last_status(self.places.events(row.id)) != verdict.status:
            self.tell(row.id, verdict.status, row.attempts, verdict.cause)
        await self._insist(
            lambda: self.store.close_run(row.id, verdict.status, verdict.kind, verdict.cause, value_size(folder))
        )
        self.announce(row.id)
        self.on_end(self.row(row.id))
        if row.attempts:
            await places.clear(folder, keep=True)

    async def drain(self, seconds: float) -> None:
        """Stop taking runs; wait for those that run; cut off the rest, to be started again later."""
        self.accepting = False
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


def value_size(folder: Path) -> int:
    """Bytes of the stored value, -1 without one. A generator that failed has stored the items before."""
    try:
        return (folder / VALUE).stat().st_size
    except FileNotFoundError:
        return -1


def peak(ended: Exit) -> int:
    """Memory at its highest, in bytes."""
    return ended.peak_rss * 1024
