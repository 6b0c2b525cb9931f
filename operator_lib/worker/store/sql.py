"""The store in a database that speaks SQL. See `base.Store` for what it promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

from operator_lib.worker.store import deployments, facts, runs, schedules, secrets, workers
from operator_lib.worker.store.base import (
    STATUSES,
    AttemptRow,
    DeploymentRow,
    NewVersion,
    RunRow,
    ScheduleRow,
    SecretRow,
    VersionRow,
    WorkerRow,
)
from operator_lib.worker.store.connection import Connection, Engine
from operator_lib.worker.store.runs import AttemptEnd

T = TypeVar("T")
# What other workers are told when a run waits for whoever has a slot.
WAITS = "*"
ATTEMPT = ", ".join(field.name for field in fields(AttemptRow))


class SqlStore:
    """Every operation is a transaction of an engine, and the statements are the same for all of them.

    Awaited methods belong to any event loop.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def shared(self) -> bool:
        """Whether several workers may use it at the same time."""
        return self.engine.shared

    @property
    def commits(self) -> int:
        """Durable commits so far; fewer than operations, where these came together."""
        return self.engine.commits

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

    async def start_attempt(self, run_id: str, lease: str, owner: str = "") -> int:
        """Number of the attempt, written before anything is spawned.

        Raises:
            Refused: it has ended, is running, is to be cancelled, was cut off and is to run at most once, or is another
                worker's.
        """
        return await self._write(lambda c: runs.start_attempt(c, run_id, lease, owner), run_id)

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
        return await self._write(lambda c: runs.finish(c, run_id, lease, status, end, result_size), run_id)

    async def close_run(
        self, run_id: str, status: str, cause_kind: str = "", cause: str = "", result_size: int = -1, owner: str = ""
    ) -> bool:
        """The outcome of a run that has no attempt open. False: it has ended already, or it is running."""
        end = AttemptEnd(cause_kind, cause)
        return await self._write(lambda c: runs.finish(c, run_id, "", status, end, result_size, owner), run_id)

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
        return await self._write(lambda c: runs.requeue(c, run_id, lease, end, crash), run_id)

    async def reopen(self, run_id: str, owner: str = "") -> bool:
        """Make a run PENDING again that has FAILED, TIMEOUT or CANCELLED. False: it is none of these."""
        return await self._write(lambda c: runs.reopen(c, run_id, owner), run_id)

    async def request_cancel(self, run_id: str) -> RunRow:
        """Mark a run that has not ended: it cannot be started any more. One that has ended stays as it is."""
        return await self._write(lambda c: runs.request_cancel(c, run_id), run_id)

    async def update_map(self, run_id: str, done: int) -> None:
        """How many items of a map are finished."""
        await self._write(lambda c: runs.update_map(c, run_id, done))

    async def recover(self, owner: str = "") -> list[RunRow]:
        """Close what the workers before this one have left open; the runs that are open, without their inputs, in the
        order of their submission. They, and all servings, are the `owner`'s. Safe to repeat."""

        def all_of_them(connection: Connection) -> list[RunRow]:
            workers.clear(connection, owner)
            return runs.recover(connection, owner)

        return await self._write(all_of_them)

    # --- where there are several workers -------------------------------------------------------------------------

    async def join(self, worker: WorkerRow) -> None:
        """It is there from now on."""
        await self._write(lambda c: workers.join(c, worker))

    async def leave(self, worker: str) -> None:
        """It is not any more. Runs of its that wait, and its servings, are nobody's."""
        await self._write(lambda c: workers.leave(c, worker))

    async def take_over(self, worker: str) -> list[RunRow]:
        """What workers had that have been silent for too long is this one's; their runs, which wait now."""
        return await self._write(lambda c: workers.take_over(c, worker))

    async def claim(self, worker: str, count: int) -> list[str]:
        """At most so many runs that wait and are nobody's: they are this worker's now."""
        return await self._write(lambda c: runs.claim(c, worker, count))

    async def unclaimed(self, most: int) -> int:
        """How many there are, counted up to `most`."""
        return await self._read(lambda c: runs.unclaimed(c, most))

    async def claim_run(self, worker: str, run_id: str) -> bool:
        """The same for one; whether it is this worker's now."""
        return await self._write(lambda c: runs.give(c, run_id, "", worker))

    async def release(self, worker: str, ids: list[str]) -> None:
        """Runs of this worker that wait are nobody's from now on."""
        await self._write(lambda c: [runs.give(c, run_id, worker, "") for run_id in ids], WAITS)

    async def hold(self, worker: str, deployment_id: str) -> bool:
        """A serving is this worker's, if nobody else holds it; whether it is."""
        return await self._write(lambda c: deployments.hold(c, worker, deployment_id))

    async def belongs(self, home: str, moves: bool = False) -> None:
        """Raises StoreError: the database is that of workers with another home."""
        await self._write(lambda c: workers.belongs(c, home, moves))

    async def worker(self, worker: str) -> WorkerRow | None:
        """One of them, while it is there."""
        return await self._read(lambda c: workers.one(c, worker))

    async def forget_runs(self, ids: list[str]) -> list[str]:
        """Remove those of them that have ended, with their attempts; which these were."""
        return await self._write(lambda c: runs.forget(c, ids))

    async def identify(self) -> str:
        """A name that no other store has."""
        return await self._write(facts.identify)

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
        """Write what is waiting and let go of the database. Blocks for that long, some milliseconds."""
        self.engine.close()

    async def deployment(
        self, name: str | None = None, id: str | None = None, kind: str | None = None
    ) -> DeploymentRow | None:
        """By name (live ones only; `kind` where a job and a serving share it) or by id (deleted ones too)."""
        if (name is None) == (id is None):
            raise ValueError("exactly one of name and id must be given")
        if name is not None:
            return await self._read(lambda c: deployments.live(c, name, kind))
        return await self._read(lambda c: deployments.by_id(c, str(id)))

    async def deployments(self, kind: str | None = None) -> list[DeploymentRow]:
        """The live ones, by name."""
        query = (
            f"SELECT {deployments.DEPLOYMENT} FROM deployments WHERE deleted IS NULL AND kind IN (?, ?) ORDER BY name"
        )
        kinds = ("job", "serving") if kind is None else (kind, kind)
        return [DeploymentRow(*found) for found in await self._rows(query, *kinds)]

    async def version(self, deployment_id: str, number: int) -> VersionRow | None:
        return await self._read(lambda c: deployments.version(c, deployment_id, number))

    async def versions(self, deployment_id: str) -> list[VersionRow]:
        """The oldest first."""
        query = f"SELECT {deployments.VERSION} FROM versions WHERE deployment_id = ? ORDER BY number"
        return [VersionRow(*found) for found in await self._rows(query, deployment_id)]

    async def run(self, run_id: str) -> RunRow | None:
        return await self._read(lambda c: runs.get(c, run_id))

    async def runs(
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
            "lower(id || ' ' || job || ' ' || cause) LIKE ? ESCAPE '!'": _containing(text) if text else None,
        }
        said = {term: value for term, value in terms.items() if value is not None}
        where = "WHERE " + " AND ".join(said) if said else ""
        query = f"SELECT {runs.RUN_WITHOUT_INPUT} FROM runs {where} ORDER BY seq DESC LIMIT ?"
        return [runs.as_run(found) for found in await self._rows(query, *said.values(), max(0, limit))]

    async def expired_runs(self, oldest: float | None, keep: int | None, settled: float, limit: int) -> list[str]:
        """Ids of at most `limit` runs that ended before `oldest`, or that are not among the last `keep` and ended
        before `settled` (seconds since the epoch); None is no bound."""
        if keep is not None:
            query = "SELECT ended FROM runs WHERE ended IS NOT NULL ORDER BY ended DESC LIMIT 1 OFFSET ?"
            last = await self._rows(query, keep - 1)
            if last and (oldest is None or min(last[0][0], settled) > oldest):
                oldest = min(last[0][0], settled)
        if oldest is None:
            return []
        query = "SELECT id FROM runs WHERE ended < ? ORDER BY ended LIMIT ?"
        return [found[0] for found in await self._rows(query, oldest, limit)]

    async def known_runs(self, ids: list[str]) -> set[str]:
        """Those of them that there are."""
        if not ids:
            return set()
        marks = ", ".join("?" * len(ids))
        return {found[0] for found in await self._rows(f"SELECT id FROM runs WHERE id IN ({marks})", *ids)}

    async def kept_versions(self, since: float) -> list[VersionRow]:
        """Those of deployments that are there, or were `since` (seconds since the epoch), and those that runs name."""
        query = (
            f"SELECT {', '.join(f'v.{name}' for name in deployments.VERSION.split(', '))} FROM versions v"
            " JOIN deployments d ON d.id = v.deployment_id WHERE d.deleted IS NULL OR d.deleted > ?"
            " OR EXISTS (SELECT 1 FROM runs r WHERE r.deployment_id = v.deployment_id AND r.version = v.number)"
        )
        return [VersionRow(*found) for found in await self._rows(query, since)]

    async def run_inputs(self) -> set[str]:
        """The uploads that are the input of a run."""
        return {
            found[0] for found in await self._rows("SELECT DISTINCT input_ref FROM runs WHERE input_ref <> 'inline'")
        }

    async def run_by_key(self, deployment_id: str, key: str) -> str | None:
        """The id of the run with that idempotency key, which is not empty."""
        query = "SELECT id FROM runs WHERE deployment_id = ? AND idempotency_key = ? AND idempotency_key <> ''"
        found = await self._rows(query, deployment_id, key)
        return str(found[0][0]) if found else None

    async def attempts(self, run_id: str) -> list[AttemptRow]:
        """The first first."""
        query = f"SELECT {ATTEMPT} FROM attempts WHERE run_id = ? ORDER BY n"
        return [AttemptRow(*found) for found in await self._rows(query, run_id)]

    async def counts(self) -> dict[str, int]:
        """How many runs there are in each status."""
        found = await self._rows("SELECT status, count(*) FROM runs GROUP BY status")
        return dict.fromkeys(STATUSES, 0) | dict(found)

    async def counts_by_job(self) -> dict[str, dict[str, int]]:
        """The same for each job that has runs; statuses without any are left out."""
        found: dict[str, dict[str, int]] = {}
        for job, status, count in await self._rows("SELECT job, status, count(*) FROM runs GROUP BY job, status"):
            found.setdefault(job, {})[status] = count
        return found

    async def count(self, job: str, status: str) -> int:
        """How many runs of a job there are in a status."""
        return int((await self._rows("SELECT count(*) FROM runs WHERE job = ? AND status = ?", job, status))[0][0])

    async def secrets(self) -> list[SecretRow]:
        """By name."""
        return [SecretRow(*found) for found in await self._rows(f"SELECT {secrets.SECRET} FROM secrets ORDER BY name")]

    async def sealed_secret(self, name: str) -> bytes | None:
        found = await self._rows("SELECT sealed FROM secrets WHERE name = ?", name)
        return bytes(found[0][0]) if found else None

    async def schedules(self, deployment_id: str | None = None) -> list[ScheduleRow]:
        """The oldest first, of one deployment or of all."""
        which, values = ("", ()) if deployment_id is None else ("WHERE deployment_id = ?", (deployment_id,))
        query = f"SELECT {schedules.SCHEDULE} FROM schedules {which} ORDER BY created, id"
        return [schedules.as_schedule(found) for found in await self._rows(query, *values)]

    async def schedule(self, schedule_id: str) -> ScheduleRow | None:
        found = await self._rows(f"SELECT {schedules.SCHEDULE} FROM schedules WHERE id = ?", schedule_id)
        return schedules.as_schedule(found[0]) if found else None

    async def schedule_input(self, schedule_id: str) -> bytes:
        found = await self._rows("SELECT input FROM schedules WHERE id = ?", schedule_id)
        return bytes(found[0][0]) if found else b""

    async def _write(self, operation: Callable[[Connection], T], about: str = "") -> T:
        return await self.engine.write(operation, about)

    async def _read(self, operation: Callable[[Connection], T]) -> T:
        return await self.engine.read(operation)

    async def _rows(self, query: str, *values: Any) -> list[Any]:
        return await self.engine.read(lambda c: c.execute(query, values).fetchall())


def _containing(text: str) -> str:
    """A pattern for what has `text` in it, in lower case."""
    for special in "!%_":
        text = text.replace(special, f"!{special}")
    return f"%{text.lower()}%"
