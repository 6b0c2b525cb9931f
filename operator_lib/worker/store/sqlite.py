"""The store in an SQLite file. See `base.Store` for what it promises."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from operator_lib.worker.store import connect, deployments, runs, schedules, secrets
from operator_lib.worker.store.base import (
    STATUSES,
    AttemptRow,
    DeploymentRow,
    NewVersion,
    RunRow,
    ScheduleRow,
    SecretRow,
    StoreError,
    VersionRow,
)
from operator_lib.worker.store.runs import AttemptEnd
from operator_lib.worker.store.writer import Writer

T = TypeVar("T")
ATTEMPT = ", ".join(field.name for field in fields(AttemptRow))


class SqliteStore:
    """One file, one writing thread, reads straight from the caller's thread.

    Awaited methods belong to any event loop. Hold the `HomeLock` of the folder first: a second process that
    writes would be locked out for as long as this one is busy.

    Raises:
        StoreError: the file is not ours, damaged, of a newer release, or not to be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        connection = connect.writer(self.path)
        try:
            self._reader = connect.reader(self.path)
        except StoreError:
            connection.close()
            raise
        self._writer = Writer(connection, self.path)

    @property
    def commits(self) -> int:
        """Durable commits so far; fewer than operations, where these came together."""
        return self._writer.commits

    async def put_version(
        self,
        name: str,
        kind: str,
        *,
        fingerprint: str,
        python: str = "",
        requirements: str = "",
        manifest: bytes = b"",
        entry_sha256: str = "",
        entry_size: int = 0,
        options_json: str = "{}",
        schema_json: str = "{}",
        dag_json: str = "{}",
        env_key: str = "",
    ) -> tuple[DeploymentRow, VersionRow, bool]:
        """The version with that fingerprint, made if need be (with the deployment); True if it was there."""
        new = NewVersion(
            fingerprint, python, requirements, manifest, entry_sha256, entry_size,
            options_json, schema_json, dag_json, env_key,
        )  # fmt: skip
        return await self._write(lambda c: deployments.put_version(c, name, kind, new))

    async def set_version_status(
        self, deployment_id: str, number: int, status: str, message: str = "", env_key: str | None = None
    ) -> VersionRow:
        """Raises NotFound when there is no such version."""
        return await self._write(
            lambda c: deployments.set_version_status(c, deployment_id, number, status, message, env_key)
        )

    async def make_live(self, deployment_id: str, number: int) -> DeploymentRow:
        """New runs and calls go to this version, which has to be ready (else Refused)."""
        return await self._write(lambda c: deployments.make_live(c, deployment_id, number))

    async def set_replicas(self, deployment_id: str, count: int | None) -> None:
        """Somebody wants so many from now on. None: he takes that back."""
        await self._write(lambda c: deployments.set_replicas(c, deployment_id, count))

    async def delete_deployment(self, name: str, kind: str | None = None) -> DeploymentRow:
        """The name is free again; versions and runs stay readable by id. NotFound when there is none."""
        return await self._write(lambda c: deployments.delete(c, name, kind))

    async def submit_run(self, row: RunRow) -> tuple[RunRow, bool]:
        """Accept a run, or find the one with the same idempotency key (then True).

        Raises:
            Conflict: the key was used with another input, or the id is taken.
            NotFound: the deployment or version does not exist (any more).
        """
        return await self._write(lambda c: runs.submit(c, row))

    async def start_attempt(self, run_id: str, lease: str) -> int:
        """Number of the attempt, written before anything is spawned.

        Raises:
            Refused: it has ended, is running, is to be cancelled, or was cut off and is to run at most once.
        """
        return await self._write(lambda c: runs.start_attempt(c, run_id, lease))

    async def finish_run(
        self,
        run_id: str,
        lease: str,
        status: str,
        cause_kind: str = "",
        cause: str = "",
        result_size: int = -1,
        exit_code: int | None = None,
        signal: int | None = None,
        peak_rss: int | None = None,
    ) -> bool:
        """The outcome, once. False: it has ended already, or the lease is not that of the open attempt."""
        if not lease:
            return False
        end = AttemptEnd(cause_kind, cause, exit_code, signal, peak_rss)
        return await self._write(lambda c: runs.finish(c, run_id, lease, status, end, result_size))

    async def close_run(
        self, run_id: str, status: str, cause_kind: str = "", cause: str = "", result_size: int = -1
    ) -> bool:
        """The outcome of a run that has no attempt open. False: it has ended already, or it is running."""
        end = AttemptEnd(cause_kind, cause)
        return await self._write(lambda c: runs.finish(c, run_id, "", status, end, result_size))

    async def requeue(
        self,
        run_id: str,
        lease: str,
        cause_kind: str,
        cause: str,
        crash: bool,
        exit_code: int | None = None,
        signal: int | None = None,
        peak_rss: int | None = None,
    ) -> bool:
        """Close the attempt, make the run PENDING again. False: the lease is not that of the open attempt."""
        end = AttemptEnd(cause_kind, cause, exit_code, signal, peak_rss)
        return await self._write(lambda c: runs.requeue(c, run_id, lease, end, crash))

    async def reopen(self, run_id: str) -> bool:
        """Make a run PENDING again that has FAILED, TIMEOUT or CANCELLED. False: it is none of these."""
        return await self._write(lambda c: runs.reopen(c, run_id))

    async def request_cancel(self, run_id: str) -> RunRow:
        """Mark a run that has not ended: it cannot be started any more. One that has ended stays as it is."""
        return await self._write(lambda c: runs.request_cancel(c, run_id))

    async def update_map(self, run_id: str, done: int) -> None:
        """How many items of a map are finished."""
        await self._write(lambda c: runs.update_map(c, run_id, done))

    async def recover(self) -> list[RunRow]:
        """At start: close the attempts of the last worker (`worker_lost`, one crash more); what is to do.

        In the order of submission, without inputs; among them those that are to be cancelled.
        """
        return await self._write(runs.recover)

    async def forget_runs(self, ids: list[str]) -> list[str]:
        """Remove those of them that have ended, with their attempts; which these were."""
        return await self._write(lambda c: runs.forget(c, ids))

    async def put_secret(self, name: str, sealed: bytes) -> None:
        """Keep a sealed value, in place of an earlier one."""
        await self._write(lambda c: secrets.put(c, name, sealed))

    async def remove_secret(self, name: str) -> bool:
        """False when there was none."""
        return await self._write(lambda c: secrets.remove(c, name))

    async def put_schedule(self, row: ScheduleRow, data: bytes, key: str = "") -> ScheduleRow:
        """Keep it with the encoded input of its runs; the one with the same key, where there is one.

        Raises:
            NotFound: the deployment does not exist (any more).
        """
        return await self._write(lambda c: schedules.put(c, row, data, key))

    async def advance_schedule(self, before: float, row: ScheduleRow) -> None:
        """Note how far it has come; nothing when its `since` is not `before` any more."""
        await self._write(lambda c: schedules.advance(c, before, row))

    async def pause_schedule(self, schedule_id: str, paused: bool, now: float) -> None:
        """Nothing when it is so already. After a pause it goes on from `now`."""
        await self._write(lambda c: schedules.set_paused(c, schedule_id, paused, now))

    async def remove_schedule(self, schedule_id: str) -> None:
        await self._write(lambda c: schedules.remove(c, schedule_id))

    def close(self) -> None:
        """Write what is waiting and let go of the file. Blocks for that long, some milliseconds."""
        self._writer.close()
        self._reader.close()

    def deployment(
        self, name: str | None = None, id: str | None = None, kind: str | None = None
    ) -> DeploymentRow | None:
        """By name (live ones only; `kind` where a job and a serving share it) or by id (deleted ones too)."""
        if (name is None) == (id is None):
            raise ValueError("exactly one of name and id must be given")
        if name is not None:
            return self._read(lambda c: deployments.live(c, name, kind))
        return self._read(lambda c: deployments.by_id(c, str(id)))

    def deployments(self, kind: str | None = None) -> list[DeploymentRow]:
        """The live ones, by name."""
        query = (
            f"SELECT {deployments.DEPLOYMENT} FROM deployments"
            " WHERE deleted IS NULL AND (?1 IS NULL OR kind = ?1) ORDER BY name"
        )
        return [DeploymentRow(*found) for found in self._rows(query, kind)]

    def version(self, deployment_id: str, number: int) -> VersionRow | None:
        return self._read(lambda c: deployments.version(c, deployment_id, number))

    def versions(self, deployment_id: str) -> list[VersionRow]:
        """The oldest first."""
        query = f"SELECT {deployments.VERSION} FROM versions WHERE deployment_id = ? ORDER BY number"
        return [VersionRow(*found) for found in self._rows(query, deployment_id)]

    def run(self, run_id: str) -> RunRow | None:
        return self._read(lambda c: runs.get(c, run_id))

    def runs(
        self,
        job: str | None = None,
        status: str | None = None,
        limit: int = 100,
        before: str | None = None,
        text: str | None = None,
    ) -> list[RunRow]:
        """The newest first, without their inputs; with `before` those that were submitted before that run, with `text`
        those that have it in their id, the name of their job or their cause."""
        terms = {
            "job = ?": job,
            "status = ?": status,
            "seq < (SELECT seq FROM runs WHERE id = ?)": before,
            "instr(lower(id || ' ' || job || ' ' || cause), ?) > 0": text.lower() if text else None,
        }
        said = {term: value for term, value in terms.items() if value is not None}
        where = "WHERE " + " AND ".join(said) if said else ""
        query = f"SELECT {runs.RUN_WITHOUT_INPUT} FROM runs {where} ORDER BY seq DESC LIMIT ?"
        return [runs.as_run(found) for found in self._rows(query, *said.values(), max(0, limit))]

    def expired_runs(self, oldest: float | None, keep: int | None, settled: float, limit: int) -> list[str]:
        """Ids of at most `limit` runs that ended before `oldest`, or that are not among the last `keep` and ended
        before `settled` (seconds since the epoch); None is no bound."""
        if keep is not None:
            query = "SELECT ended FROM runs WHERE ended IS NOT NULL ORDER BY ended DESC LIMIT 1 OFFSET ?"
            last = self._rows(query, keep - 1)
            if last and (oldest is None or min(last[0][0], settled) > oldest):
                oldest = min(last[0][0], settled)
        if oldest is None:
            return []
        query = "SELECT id FROM runs WHERE ended < ? ORDER BY ended LIMIT ?"
        return [found[0] for found in self._rows(query, oldest, limit)]

    def known_runs(self, ids: list[str]) -> set[str]:
        """Those of them that there are."""
        marks = ", ".join("?" * len(ids))
        return {found[0] for found in self._rows(f"SELECT id FROM runs WHERE id IN ({marks})", *ids)}

    def kept_versions(self, since: float) -> list[VersionRow]:
        """Those of deployments that are there, or were `since` (seconds since the epoch), and those that runs name."""
        query = (
            f"SELECT {', '.join(f'v.{name}' for name in deployments.VERSION.split(', '))} FROM versions v"
            " JOIN deployments d ON d.id = v.deployment_id WHERE d.deleted IS NULL OR d.deleted > ?"
            " OR EXISTS (SELECT 1 FROM runs r WHERE r.deployment_id = v.deployment_id AND r.version = v.number)"
        )
        return [VersionRow(*found) for found in self._rows(query, since)]

    def run_inputs(self) -> set[str]:
        """The uploads that are the input of a run."""
        return {found[0] for found in self._rows("SELECT DISTINCT input_ref FROM runs WHERE input_ref <> 'inline'")}

    def run_by_key(self, deployment_id: str, key: str) -> str | None:
        """The id of the run with that idempotency key, which is not empty."""
        query = "SELECT id FROM runs WHERE deployment_id = ? AND idempotency_key = ? AND idempotency_key <> ''"
        found = self._rows(query, deployment_id, key)
        return str(found[0][0]) if found else None

    def attempts(self, run_id: str) -> list[AttemptRow]:
        """The first first."""
        query = f"SELECT {ATTEMPT} FROM attempts WHERE run_id = ? ORDER BY n"
        return [AttemptRow(*found) for found in self._rows(query, run_id)]

    def counts(self) -> dict[str, int]:
        """How many runs there are in each status."""
        found = self._rows("SELECT status, count(*) FROM runs GROUP BY status")
        return dict.fromkeys(STATUSES, 0) | dict(found)

    def counts_by_job(self) -> dict[str, dict[str, int]]:
        """The same for each job that has runs; statuses without any are left out."""
        found: dict[str, dict[str, int]] = {}
        for job, status, count in self._rows("SELECT job, status, count(*) FROM runs GROUP BY job, status"):
            found.setdefault(job, {})[status] = count
        return found

    def count(self, job: str, status: str) -> int:
        """How many runs of a job there are in a status."""
        return int(self._rows("SELECT count(*) FROM runs WHERE job = ? AND status = ?", job, status)[0][0])

    def secrets(self) -> list[SecretRow]:
        """By name."""
        return [SecretRow(*found) for found in self._rows(f"SELECT {secrets.SECRET} FROM secrets ORDER BY name")]

    def sealed_secret(self, name: str) -> bytes | None:
        found = self._rows("SELECT sealed FROM secrets WHERE name = ?", name)
        return bytes(found[0][0]) if found else None

    def schedules(self, deployment_id: str | None = None) -> list[ScheduleRow]:
        """The oldest first, of one deployment or of all."""
        query = (
            f"SELECT {schedules.SCHEDULE} FROM schedules WHERE (?1 IS NULL OR deployment_id = ?1) ORDER BY created, id"
        )
        return [schedules.as_schedule(found) for found in self._rows(query, deployment_id)]

    def schedule(self, schedule_id: str) -> ScheduleRow | None:
        found = self._rows(f"SELECT {schedules.SCHEDULE} FROM schedules WHERE id = ?", schedule_id)
        return schedules.as_schedule(found[0]) if found else None

    def schedule_input(self, schedule_id: str) -> bytes:
        found = self._rows("SELECT input FROM schedules WHERE id = ?", schedule_id)
        return bytes(found[0][0]) if found else b""

    async def _write(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        return await self._writer.write(operation)

    def _read(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return operation(self._reader)
        except sqlite3.Error as error:
            raise StoreError(f"the store {self.path} cannot be read: {error}") from error

    def _rows(self, query: str, *values: Any) -> list[Any]:
        return self._read(lambda c: c.execute(query, values).fetchall())
