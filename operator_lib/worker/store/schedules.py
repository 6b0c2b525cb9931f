"""Writes about schedules. Each function runs inside one transaction."""

from __future__ import annotations

import sqlite3
from dataclasses import fields, replace
from typing import Any

from operator_lib.errors import NotFound
from operator_lib.worker.store.base import ScheduleRow

SCHEDULE = ", ".join(field.name for field in fields(ScheduleRow))


def as_schedule(found: Any) -> ScheduleRow:
    row = ScheduleRow(*found)
    return replace(row, paused=bool(row.paused))


def put(connection: sqlite3.Connection, row: ScheduleRow, data: bytes, key: str) -> ScheduleRow:
    """Keep it; the one that has the key, where there is one."""
    if key:
        found = connection.execute(f"SELECT {SCHEDULE} FROM schedules WHERE idempotency_key = ?", (key,)).fetchone()
        if found:
            return as_schedule(found)
    deployment = connection.execute("SELECT deleted FROM deployments WHERE id = ?", (row.deployment_id,)).fetchone()
    if deployment is None or deployment[0] is not None:
        raise NotFound(f"the job {row.job!r} is not deployed any more; deploy it again")
    names = [*SCHEDULE.split(", "), "input", "idempotency_key"]
    values = [*(getattr(row, name) for name in SCHEDULE.split(", ")), data, key]
    marks = ", ".join("?" * len(names))
    connection.execute(f"INSERT INTO schedules ({', '.join(names)}) VALUES ({marks})", values)
    return row


def advance(connection: sqlite3.Connection, before: float, row: ScheduleRow) -> None:
    """Note how far it has come, from `before`; nothing when it was changed or removed meanwhile."""
    connection.execute(
        "UPDATE schedules SET since = ?, last = ?, last_run = ?, note = ? WHERE id = ? AND since = ?",
        (row.since, row.last, row.last_run, row.note, row.id, before),
    )


def set_paused(connection: sqlite3.Connection, schedule_id: str, paused: bool, now: float) -> None:
    """What was due while it was paused is not made up for."""
    connection.execute(
        "UPDATE schedules SET paused = ?1, since = CASE WHEN ?1 THEN since ELSE ?2 END, note = ''"
        " WHERE id = ?3 AND paused <> ?1",
        (int(paused), now, schedule_id),
    )


def remove(connection: sqlite3.Connection, schedule_id: str) -> None:
    connection.execute("DELETE FROM schedules WHERE id = ?", (schedule_id,))
