"""Writes about runs and their attempts: the state machine. Each function runs inside one transaction.

A run is PENDING (no attempt open), RUNNING (one open, under the lease in `runs.lease`) or terminal: for ever, but
for one that has not COMPLETED and that somebody resumes.
Every change names the lease it acts under, "" for "no attempt open"; under an old lease nothing changes. So
an outcome is recorded once, whoever comes late.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, fields, replace
from typing import Any

from operator_lib.errors import NotFound
from operator_lib.worker.store.base import PENDING, TERMINAL, Conflict, Refused, RunRow
from operator_lib.worker.store.connection import FREE, LOCKED, Connection

RUN = ", ".join(field.name for field in fields(RunRow))
# For lists: inputs may be megabytes each.
RUN_WITHOUT_INPUT = RUN.replace("input_inline", "NULL")
OPEN = "status IN ('PENDING', 'RUNNING')"
# A run of a version that is there, of what is deployed, unless its id or key was used.
_ADD = (
    f"INSERT INTO runs ({RUN}) SELECT {', '.join('?' for _ in fields(RunRow))}"
    " FROM deployments JOIN versions ON versions.deployment_id = deployments.id"
    " WHERE deployments.id = ? AND versions.number = ? AND deployments.deleted IS NULL ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """How an attempt came to its end."""

    cause_kind: str = ""
    cause: str = ""
    exit_code: int | None = None
    signal: int | None = None
    peak_rss: int | None = None


def as_run(found: Any) -> RunRow:
    row = RunRow(*found)
    return replace(row, at_most_once=bool(row.at_most_once), cancel_requested=bool(row.cancel_requested))


def get(connection: Connection, run_id: str) -> RunRow | None:
    found = connection.execute(f"SELECT {RUN} FROM runs WHERE id = ?", (run_id,)).fetchone()
    return as_run(found) if found else None


def existing(connection: Connection, run_id: str) -> RunRow:
    """The run, to be changed. Raises NotFound."""
    found = connection.execute(f"SELECT {RUN} FROM runs WHERE id = ? {LOCKED}", (run_id,)).fetchone()
    if found is None:
        raise NotFound(f"there is no run {run_id!r}")
    return as_run(found)


def submit(connection: Connection, row: RunRow) -> tuple[RunRow, bool]:
    row = RunRow(
        id=row.id,
        deployment_id=row.deployment_id,
        job=row.job,
        version=row.version,
        kind=row.kind,
        created=row.created or time.time(),
        idempotency_key=row.idempotency_key,
        input_sha256=row.input_sha256,
        input_ref=row.input_ref,
        input_inline=row.input_inline,
        at_most_once=row.at_most_once,
        traceparent=row.traceparent,
        owner=row.owner,
    )
    values = [getattr(row, name) for name in RUN.split(", ")]
    # One statement, as it is what a run costs before it is accepted; why nothing was added is looked up when it is not.
    if connection.execute(_ADD, (*values, row.deployment_id, row.version)).rowcount:
        return row, False
    if (first := _by_key(connection, row)) is not None:
        return _same_input(first, row), True
    query = "SELECT deleted FROM deployments WHERE id = ?"
    deployment = connection.execute(query, (row.deployment_id,)).fetchone()
    if deployment is None or deployment[0] is not None:
        raise NotFound(f"the job {row.job!r} is not deployed any more; deploy it again")
    query = "SELECT 1 FROM versions WHERE deployment_id = ? AND number = ?"
    if connection.execute(query, (row.deployment_id, row.version)).fetchone() is None:
        raise NotFound(f"the job {row.job!r} has no version {row.version}")
    raise Conflict(f"there is a run {row.id!r} already; give every run its own id")


def _by_key(connection: Connection, row: RunRow) -> RunRow | None:
    """The run that was submitted with the same key, where there is one."""
    if not row.idempotency_key:
        return None
    # The last term lets the partial index be used: without it every run of the job is looked at.
    query = f"SELECT {RUN} FROM runs WHERE deployment_id = ? AND idempotency_key = ? AND idempotency_key <> ''"
    found = connection.execute(query, (row.deployment_id, row.idempotency_key)).fetchone()
    return as_run(found) if found else None


def _same_input(first: RunRow, row: RunRow) -> RunRow:
    if first.input_sha256 != row.input_sha256:
        raise Conflict(
            f"the idempotency key {row.idempotency_key!r} was used for run {first.id} of {row.job!r} with "
            f"other arguments (sha256 {first.input_sha256[:9]}, now {row.input_sha256[:9]}); use another key"
        )
    return first


def start_attempt(connection: Connection, run_id: str, lease: str, owner: str) -> int:
    if not lease:
        raise ValueError("an attempt needs a lease")
    row = existing(connection, run_id)
    if row.status != PENDING:
        raise Refused(f"run {run_id} is {row.status} and cannot be started")
    if row.owner != owner:
        raise Refused(f"run {run_id} is another worker's by now")
    if row.cancel_requested:
        raise Refused(f"run {run_id} is to be cancelled and cannot be started")
    if row.at_most_once and row.crashes:
        raise Refused(f"run {run_id} was cut off by the end of a worker and is to run at most once")
    now, n = time.time(), row.attempts + 1
    connection.execute(
        "UPDATE runs SET status = 'RUNNING', lease = ?, attempts = ?, started = coalesce(started, ?),"
        " cause_kind = '', cause = '' WHERE id = ?",
        (lease, n, now, run_id),
    )
    connection.execute("INSERT INTO attempts (run_id, n, lease, started) VALUES (?, ?, ?, ?)", (run_id, n, lease, now))
    return n


def finish(
    connection: Connection,
    run_id: str,
    lease: str,
    status: str,
    end: AttemptEnd,
    result_size: int,
    owner: str | None = None,
) -> bool:
    """`owner`: whose it has to be; None: whose lease it is under says enough."""
    if status not in TERMINAL:
        raise ValueError(f"a run ends as one of {TERMINAL}, not as {status!r}")
    changed = connection.execute(
        "UPDATE runs SET status = ?, ended = ?, cause_kind = ?, cause = ?, result_size = ?, lease = ''"
        f" WHERE id = ? AND lease = ? AND owner = coalesce(?, owner) AND {OPEN}",
        (status, time.time(), end.cause_kind, end.cause, result_size, run_id, lease, owner),
    ).rowcount
    if changed:
        _close_attempt(connection, run_id, end)
    return bool(changed)


def requeue(connection: Connection, run_id: str, lease: str, end: AttemptEnd, crash: bool) -> bool:
    """Back to PENDING. A wish to cancel stays on the run, and keeps it from being started again."""
    changed = connection.execute(
        "UPDATE runs SET status = 'PENDING', lease = '', cause_kind = ?, cause = ?, crashes = crashes + ?"
        " WHERE id = ? AND lease = ? AND lease <> '' AND status = 'RUNNING'",
        (end.cause_kind, end.cause, int(crash), run_id, lease),
    ).rowcount
    if changed:
        _close_attempt(connection, run_id, end)
    return bool(changed)


def reopen(connection: Connection, run_id: str, owner: str) -> bool:
    """Back to PENDING from a bad end; attempts go on to be counted, cuts are forgotten."""
    return bool(
        connection.execute(
            "UPDATE runs SET status = 'PENDING', ended = NULL, cause_kind = '', cause = '', result_size = -1,"
            " crashes = 0, cancel_requested = 0, forgiven = attempts, owner = ?"
            " WHERE id = ? AND kind = 'run' AND status IN ('FAILED', 'TIMEOUT', 'CANCELLED')",
            (owner, run_id),
        ).rowcount
    )


def request_cancel(connection: Connection, run_id: str) -> RunRow:
    connection.execute(f"UPDATE runs SET cancel_requested = 1 WHERE id = ? AND {OPEN}", (run_id,))
    return existing(connection, run_id)


def update_map(connection: Connection, run_id: str, done: int) -> None:
    connection.execute(f"UPDATE runs SET done = ? WHERE id = ? AND done < ? AND {OPEN}", (done, run_id, done))


def forget(connection: Connection, ids: list[str]) -> list[str]:
    """Remove those that have ended: one of them may have been resumed since it was looked at."""
    if not ids:
        return []
    marks = ", ".join("?" * len(ids))
    query = f"SELECT id FROM runs WHERE id IN ({marks}) AND NOT ({OPEN}) {LOCKED}"
    found = [run_id for (run_id,) in connection.execute(query, ids)]
    for run_id in found:
        connection.execute("DELETE FROM attempts WHERE run_id = ?", (run_id,))
        connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))
    return found


def recover(connection: Connection, owner: str, gone: str | None = None) -> list[RunRow]:
    """Close what workers that are gone have left open: all, or the one called so. Their runs are the `owner`'s.

    Safe to repeat: a second time finds nothing open.
    """
    end = AttemptEnd("worker_lost", "worker restarted")
    whose = f"owner = coalesce(?, owner) AND {OPEN}"
    opened = f"SELECT id, lease FROM runs WHERE {whose} AND status = 'RUNNING'"
    for run_id, lease in connection.execute(opened, (gone,)).fetchall():
        requeue(connection, run_id, lease, end, crash=True)
    found = connection.execute(f"SELECT {RUN_WITHOUT_INPUT} FROM runs WHERE {whose} ORDER BY seq", (gone,)).fetchall()
    connection.execute(f"UPDATE runs SET owner = ? WHERE {whose} AND owner <> ?", (owner, gone, owner))
    return [replace(as_run(row), owner=owner) for row in found]


def claim(connection: Connection, worker: str, count: int) -> list[str]:
    """Runs that wait and are nobody's are this worker's from now on: so many, the oldest first."""
    query = f"SELECT id FROM runs WHERE owner = '' AND status = 'PENDING' AND kind = 'run' ORDER BY seq LIMIT ? {FREE}"
    found = [run_id for (run_id,) in connection.execute(query, (count,)).fetchall()]
    for run_id in found:
        connection.execute("UPDATE runs SET owner = ? WHERE id = ?", (worker, run_id))
    return found


def unclaimed(connection: Connection, most: int) -> int:
    """How many runs wait and are nobody's, counted up to `most`."""
    query = "SELECT count(*) FROM (SELECT 1 FROM runs WHERE owner = '' AND status = 'PENDING' LIMIT ?) AS waiting"
    return int(connection.execute(query, (most,)).fetchone()[0])


def give(connection: Connection, run_id: str, before: str, after: str) -> bool:
    """Another worker's from now on, or nobody's; False when it does not wait, or was not `before`'s."""
    statement = "UPDATE runs SET owner = ? WHERE id = ? AND owner = ? AND status = 'PENDING'"
    return bool(connection.execute(statement, (after, run_id, before)).rowcount)


def _close_attempt(connection: Connection, run_id: str, end: AttemptEnd) -> None:
    connection.execute(
        "UPDATE attempts SET ended = ?, cause_kind = ?, cause = ?, exit_code = ?, signal = ?, peak_rss = ?"
        " WHERE run_id = ? AND ended IS NULL",
        (time.time(), end.cause_kind, end.cause, end.exit_code, end.signal, end.peak_rss, run_id),
    )
