"""Runs of jobs: accepted, started when there is room, recorded exactly once, whatever dies."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from operator_lib.engine.process import FAILURE, VALUE, Exit, ProcessSpec
from operator_lib.errors import Cancelled, NotFound, OperatorTimeout, QueueFull, WorkerDied
from operator_lib.executors.base import Executor, Process
from operator_lib.executors.local import base_environment
from operator_lib.options import Options
from operator_lib.wire import failure as wire_failure
from operator_lib.worker import history, places
from operator_lib.worker.ids import new_id
from operator_lib.worker.places import Places
from operator_lib.worker.store.base import DeploymentRow, RunRow, Store, VersionRow

log = logging.getLogger("operator_lib.worker")

TERMINAL = frozenset({"COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"})
# A run that was cut off this often by the worker's own death is set aside.
MAX_CUTS = 3
# Runs waiting; more are refused.
QUEUE_LIMIT = 100_000
# Seconds between SIGTERM and SIGKILL when a run is cancelled.
CANCEL_GRACE = 2.0


class Active:
    """A run with a process; without a lease, one that has none."""

    def __init__(self, row: RunRow, lease: str, attempt: int) -> None:
        self.row = row
        self.lease = lease
        self.attempt = attempt
        self.process: Process | None = None
        self.stop_cause = ""


class Runs:
    """All runs of a worker that have not ended."""

    def __init__(
        self,
        store: Store,
        where: Places,
        executor: Executor,
        python_of: Callable[[VersionRow], Any],
        slots: int,
    ) -> None:
        self.store = store
        self.places = where
        self.executor = executor
        self.python_of = python_of
        self.slots = slots
        self.waiting: deque[str] = deque()
        self.active: dict[str, Active] = {}
        self.accepting = True
        self._signals: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # --- watching ------------------------------------------------------------------------------------------------

    def changed(self, run_id: str) -> asyncio.Event:
        """An event that is set when the run's state or history moves on next."""
        return self._signals.setdefault(run_id, asyncio.Event())

    def announce(self, run_id: str) -> None:
        signal = self._signals.pop(run_id, None)
        if signal is not None:
            signal.set()

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
        return self.row(run_id).status in TERMINAL

    def outcome_file(self, row: RunRow) -> Path | None:
        """Where the stored failure or value lies."""
        folder = self.places.attempt(row.id, row.attempts)
        for name in (FAILURE, VALUE):
            if (folder / name).exists():
                return folder / name
        return None

    # --- accepting -----------------------------------------------------------------------------------------------

    async def submit(self, row: RunRow) -> RunRow:
        """Accept a run: once this returns it survives the death of the worker.

        Raises:
            QueueFull: too many are waiting.
            Conflict: the idempotency key was used with another input.
        """
        if not self.accepting:
            raise QueueFull("the worker is stopping", retry_after=5)
        if len(self.waiting) >= QUEUE_LIMIT:
            raise QueueFull(f"{QUEUE_LIMIT} runs are waiting already", retry_after=10)
        stored, existed = await self.store.submit_run(row)
        if not existed:
            self.places.run(stored.id).mkdir(parents=True, exist_ok=True, mode=0o700)
            self.tell(stored.id, "PENDING", 0, "")
            self.waiting.append(stored.id)
            self.pump()
        return stored

    def tell(self, run_id: str, status: str, attempt: int, cause: str) -> None:
        """Add a change of status to the history. Only while no process runs."""
        event: dict[str, Any] = {"kind": "status", "t": time.time(), "status": status, "attempt": attempt}
        if cause:
            event["cause"] = cause
        try:
            history.append(self.places.events(run_id), event)
        except OSError as problem:  # the store has the status; the story of it can wait for room on the disk
            log.warning("run %s: history not written: %s", run_id, problem)
        self.announce(run_id)

    def pump(self) -> None:
        """Start as many waiting runs as there is room for."""
        while self.accepting and self.waiting and len(self.active) < self.slots:
            run_id = self.waiting.popleft()
            row = self.store.run(run_id)
            if row is None or row.status in TERMINAL or run_id in self.active:
                continue
            self.active[run_id] = Active(row, new_id(), row.attempts + 1)
            self.spawn(self._start(self.active[run_id]))

    def spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("worker: internal error", exc_info=task.exception())

    # --- one attempt ---------------------------------------------------------------------------------------------

    async def _start(self, active: Active) -> None:
        row = active.row
        active.attempt = await self.store.start_attempt(row.id, active.lease)
        self.announce(row.id)
        try:
            version = self.store.version(row.deployment_id, row.version)
            if version is None:
                raise NotFound(f"version {row.version} of {row.job} is gone")
            spec = self._spec(row, version, active.attempt)
            self.tell(row.id, "RUNNING", active.attempt, "")
            python = await self.python_of(version)
            if active.stop_cause:
                raise Cancelled("cancelled before it started")
            active.process = await self.executor.spawn(python, spec, lambda m: self._hear(active, m))
            if active.stop_cause:
                active.process.stop(active.stop_cause, CANCEL_GRACE)
        except Cancelled as error:
            await self._record(active, "CANCELLED", "cancelled", str(error), Exit())
        except Exception as error:
            log.exception("run %s could not be started", row.id)
            await self._record(active, "FAILED", "internal", f"could not be started: {error}", Exit())

    def _spec(self, row: RunRow, version: VersionRow, attempt: int) -> ProcessSpec:
        options = Options.from_json(json.loads(version.options_json or "{}"))
        folder = self.places.attempt(row.id, attempt)
        places.furnish(folder, self.places.source(version.fingerprint))
        if row.input_inline is not None:
            source = self.places.input(row.id)
            if not source.exists():
                source.write_bytes(row.input_inline)
        else:
            source = self.places.blobs / row.input_ref[:2] / row.input_ref
        spec = ProcessSpec(
            kind="run",
            id=row.id,
            name=row.job,
            folder=str(folder),
            source=str(self.places.source(version.fingerprint)),
            entry=str(self.places.blobs / version.entry_sha256[:2] / version.entry_sha256),
            events=str(self.places.events(row.id)),
            attempt=attempt,
            input=str(source),
            input_codecs=codecs(options),
            output_codec=options.output_encoder or "json",
            env=base_environment() | environment(options),
            timeout=options.timeout,
        )
        spec.write()
        return spec

    def _hear(self, active: Active, message: dict[str, Any]) -> None:
        if "exit" in message:
            self.spawn(self._end(active, message["exit"]))
        else:
            self.announce(active.row.id)

    async def _end(self, active: Active, ended: Exit) -> None:
        """The process is gone: what came of it?"""
        status, kind, cause = self.verdict(active, ended)
        if kind in ("exit_code", "signal", "timeout_exec", "oom", "internal") and self._retry(active):
            await self.store.requeue(active.row.id, active.lease, kind, cause, crash=False)
            self.tell(active.row.id, "PENDING", active.attempt, f"{cause}; trying again")
            await self._clear(active)
            self.waiting.append(active.row.id)
            self.pump()
            return
        await self._record(active, status, kind, cause, ended)

    def verdict(self, active: Active, ended: Exit) -> tuple[str, str, str]:
        """Status, kind of cause, and the cause in words."""
        folder = self.places.attempt(active.row.id, active.attempt)
        if (folder / VALUE).exists() and not (folder / FAILURE).exists():
            return "COMPLETED", "", ""
        cause = active.stop_cause or ended.stopped
        if cause == "cancelled":
            return "CANCELLED", "cancelled", "cancelled" + (" (forced)" if ended.signal == 9 else "")
        if (folder / FAILURE).exists():
            return "FAILED", "user_exception", ""
        if cause == "timeout":
            limit = self._options(active.row).timeout
            return "TIMEOUT", "timeout_exec", f"ran for {ended.elapsed:.1f} s, the limit is {limit} s"
        if cause == "shim":
            return "FAILED", "internal", "its process and its shim were killed"
        kind = "signal" if ended.signal is not None else "exit_code"
        return "FAILED", kind, ended.words()

    def _options(self, row: RunRow) -> Options:
        version = self.store.version(row.deployment_id, row.version)
        return Options.from_json(json.loads(version.options_json or "{}")) if version else Options()

    def _retry(self, active: Active) -> bool:
        retries = self._options(active.row).retries
        return not active.stop_cause and retries is not None and active.attempt <= retries.max_retries

    async def _record(self, active: Active, status: str, kind: str, cause: str, ended: Exit) -> None:
        row = active.row
        folder = self.places.attempt(row.id, active.attempt)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if status != "COMPLETED" and not (folder / FAILURE).exists():
            stored = wire_failure.encode_failure(words_to_error(status, row, cause), run_id=row.id)
            (folder / FAILURE).write_bytes(stored)
        # A generator that failed has stored the items before.
        size = (folder / VALUE).stat().st_size if (folder / VALUE).exists() else -1
        # The history first: whoever sees the run ended finds its whole story.
        self.tell(row.id, status, active.attempt, cause)
        if active.lease:
            await self.store.finish_run(
                row.id, active.lease, status, kind, cause, size, ended.code, ended.signal, ended.peak_rss
            )
        else:
            await self.store.close_run(row.id, status, kind, cause, size)
        self.active.pop(row.id, None)
        self.announce(row.id)
        self.pump()
        await places.clear(folder, keep=True)

    async def _clear(self, active: Active) -> None:
        self.active.pop(active.row.id, None)
        await places.clear(self.places.attempt(active.row.id, active.attempt), keep=True)

    # --- cancelling, stopping, coming back -----------------------------------------------------------------------

    async def cancel(self, run_id: str) -> RunRow:
        """Ask a run to end. One that has ended stays as it is."""
        row = self.row(run_id)
        if row.status in TERMINAL:
            return row
        row = await self.store.request_cancel(run_id)
        active = self.active.get(run_id)
        if active is not None:
            active.stop_cause = "cancelled"
            if active.process is not None:
                active.process.stop("cancelled", CANCEL_GRACE)
            return row
        if row.status not in TERMINAL and row.kind == "run":
            self.waiting = deque(waiting for waiting in self.waiting if waiting != run_id)
            await self._close(row, "CANCELLED", "cancelled", "cancelled before it started")
        return self.row(run_id)

    async def recover(self) -> None:
        """After a start: adopt outcomes that were not recorded, put the rest back into the queue."""
        for row in await self.store.recover():
            if row.kind != "run":
                await self._close(row, "FAILED", "worker_lost", "worker restarted")
            elif (found := self.outcome_file(row)) is not None and row.attempts:
                done = found.name == VALUE
                await self._close(row, "COMPLETED" if done else "FAILED", "" if done else "user_exception", "")
            elif row.cancel_requested:
                await self._close(row, "CANCELLED", "cancelled", "cancelled; the worker restarted meanwhile")
            elif row.attempts and row.at_most_once:
                await self._close(row, "FAILED", "worker_lost", "worker restarted (at_most_once: not started again)")
            elif row.crashes >= MAX_CUTS:
                await self._close(row, "FAILED", "worker_lost", f"the worker died {row.crashes} times while it ran")
            else:
                if row.attempts:
                    self.tell(row.id, "PENDING", row.attempts, "worker restarted")
                    await places.clear(self.places.attempt(row.id, row.attempts), keep=True)
                self.waiting.append(row.id)
        self.pump()

    async def _close(self, row: RunRow, status: str, kind: str, cause: str) -> None:
        """End a run that has no process (any more)."""
        await self._record(Active(row, "", row.attempts), status, kind, cause, Exit())

    async def drain(self, seconds: float) -> None:
        """Stop taking runs; wait for those that run; cut off the rest, to be started again later."""
        self.accepting = False
        end = time.monotonic() + seconds
        while self.active and time.monotonic() < end:
            await asyncio.sleep(0.02)
        for active in list(self.active.values()):
            await self.store.requeue(active.row.id, active.lease, "worker_lost", "worker restarted", crash=False)


def codecs(options: Options) -> tuple[str, ...]:
    """What inputs may be encoded with."""
    return ("json", "cloudpickle") if options.input_encoder == "cloudpickle" else ("json",)


def environment(options: Options) -> dict[str, str]:
    """The variables that the deployer gave."""
    return {env.name: env.default for env in options.environment_variables if env.default is not None}


def words_to_error(status: str, row: RunRow, cause: str) -> Exception:
    """The exception that callers of a run get when its process left none."""
    about = f"run {row.id} of {row.job}: {cause or status.lower()}"
    if status == "TIMEOUT":
        return OperatorTimeout(about)
    if status == "CANCELLED":
        return Cancelled(about)
    return WorkerDied(about)


def new_run(
    deployment: DeploymentRow,
    version: int,
    *,
    kind: str = "run",
    idempotency_key: str = "",
    input_sha256: str = "",
    input_ref: str = "",
    input_inline: bytes | None = None,
    at_most_once: bool = False,
) -> RunRow:
    """A row for a run that is about to be accepted."""
    return RunRow(
        id=new_id(),
        deployment_id=deployment.id,
        job=deployment.name,
        version=version,
        kind=kind,
        created=time.time(),
        idempotency_key=idempotency_key,
        input_sha256=input_sha256,
        input_ref=input_ref,
        input_inline=input_inline,
        at_most_once=at_most_once,
    )
