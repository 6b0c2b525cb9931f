"""Writes about schedules. Each function runs inside one transaction."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from operator_lib.errors import NotFound
from operator_lib.worker.store.base import ScheduleRow
from operator_lib.worker.store.connection import Connection

SCHEDULE = ", ".join(field.name for field in fields(ScheduleRow))


def as_schedule(found: Any) -> ScheduleRow:
    row = ScheduleRow(*found)
    return replace(row, paused=bool(row.paused))


def put(connection: Connection, row: ScheduleRow, data: bytes, key: str) -> ScheduleRow:
    """Keep it; the one that has the key, where there is one."""
    first = _by_key(connection, key)
    if first is not None:
        return first
    deployment = connection.execute("SELECT deleted FROM deployments WHERE id = ?", (row.deployment_id,)).fetchone()
    if deployment is None or deployment[0] is not None:
        raise NotFound(f"the job {row.job!r} is not deployed any more; deploy it again")
    names = [*SCHEDULE.split(", "), "input", "idempotency_key"]
    values = [*(getattr(row, name) for name in SCHEDULE.split(", ")), data, key]
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO schedules ({', '.join(names)}) VALUES ({marks}) ON CONFLICT DO NOTHING"
    connection.execute(statement, values)
    return _by_key(connection, key) or row


def _by_key(connection: Connection, key: str) -> ScheduleRow | None:
    """The one that was made with that key."""
    query = f"SELECT {SCHEDULE} FROM schedules WHERE idempotency_key = ? AND idempotency_key <> ''"
    found = connection.execute(query, (key,)).fetchone()
    return as_schedule(found) if found else None


def advance(connection: Connection, before: float, row: ScheduleRow) -> None:
    """Note how far it has come, from `before`; nothing when it was changed or removed meanwhile."""
    connection.execute(
        "UPDATE schedules SET since = ?, last = ?, last_run = ?, note = ? WHERE id = ? AND since = ?",
        (row.since, row.last, row.last_run, row.note, row.id, before),
    )


def set_paused(connection: Connection, schedule_id: str, paused: bool, now: float) -> None:
    """What was due while it was paused is not made up for."""
    if paused:
        statement, values = "UPDATE schedules SET paused = 1, note = '' WHERE id = ? AND paused = 0", (schedule_id,)
    else:
        statement = "UPDATE schedules SET paused = 0, since = ?, note = '' WHERE id = ? AND paused = 1"
        values = (now, schedule_id)
    connection.execute(statement, values)


def remove(connection: Connection, schedule_id: str) -> None:
    connection.execute("DELETE FROM schedules WHERE id = ?", (schedule_id,))
