"""Schedules: when runs of a job start by themselves."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, fields
from typing import Any

from operator_lib.client.connect import Connection
from operator_lib.core import reach
from operator_lib.errors import NotFound
from operator_lib.wire.proto import manage_pb2 as pb


@dataclass(frozen=True, slots=True)
class Schedule:
    """One schedule, as it stood when it was asked for. Times are seconds since the epoch."""

    id: str
    job: str
    cron: str
    timezone: str
    paused: bool
    grace: float
    """Seconds by which a run may be late, after the worker was away."""
    created: float
    next: float | None
    """When it is due; None while it is paused."""
    last: float | None
    """When its last run was due."""
    last_run: str
    """The id of that run, empty before the first."""
    note: str
    """What went wrong last, in words."""
    _connection: Connection = field(repr=False, compare=False)

    def pause(self) -> Schedule:
        """No further runs, until `resume`."""
        return change(self._connection, "Pause", schedule_id=self.id)[0]

    def resume(self) -> Schedule:
        """Runs again, beginning with the next that is due: what was due meanwhile is not made up for."""
        return change(self._connection, "Resume", schedule_id=self.id)[0]

    def delete(self) -> None:
        """Remove it. Its runs stay."""
        change(self._connection, "Delete", schedule_id=self.id)

    def _repr_html_(self) -> str:
        return reach("notebook.tables", "schedules")([self])

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.name != "_connection"}


def create(
    connection: Connection, job: str, cron: str, data: bytes, *, timezone: str = "UTC", grace: float | None = None
) -> Schedule:
    """A new schedule of a job, whose runs get the encoded arguments `data`.

    Raises:
        OptionError: the expression, the time zone, the grace or the size of the arguments is out of range.
        NotFound: there is no such job.
    """
    # The key makes it safe to say it again when the answer was lost.
    request = pb.CreateScheduleRequest(
        job=job, cron=cron, timezone=timezone, input=data, grace=grace, idempotency_key=uuid.uuid4().hex
    )
    return _schedule(connection, connection.call(connection.schedules.Create, request))


def listed(connection: Connection, job: str = "") -> list[Schedule]:
    """Of one job, or all; the oldest first."""
    return _all(connection, connection.call(connection.schedules.List, pb.ListSchedulesRequest(job=job)))


def change(connection: Connection, verb: str, *, schedule_id: str = "", job: str = "") -> list[Schedule]:
    """``Pause``, ``Resume`` or ``Delete`` one schedule, or all of a job.

    Raises:
        NotFound: there is no such schedule or job.
    """
    request = pb.ChangeSchedulesRequest(id=schedule_id, job=job)
    return _all(connection, connection.call(getattr(connection.schedules, verb), request))


def change_named(connection: Connection, verb: str, name: str) -> list[Schedule]:
    """`change` of what has that name: a schedule by its id, or a job.

    Raises:
        NotFound: neither, or a job without schedules.
    """
    try:
        return change(connection, verb, schedule_id=name)
    except NotFound:
        pass
    try:
        found = change(connection, verb, job=name)
    except NotFound:
        raise NotFound(f"no schedule and no job {name!r} on this worker") from None
    if not found:
        raise NotFound(f"the job {name!r} has no schedule")
    return found


def _all(connection: Connection, reply: pb.ListSchedulesReply) -> list[Schedule]:
    return [_schedule(connection, schedule) for schedule in reply.schedules]


def _schedule(connection: Connection, found: pb.Schedule) -> Schedule:
    return Schedule(
        id=found.id,
        job=found.job,
        cron=found.cron,
        timezone=found.timezone,
        paused=found.paused,
        grace=found.grace,
        created=found.created,
        next=found.next or None,
        last=found.last or None,
        last_run=found.last_run,
        note=found.note,
        _connection=connection,
    )
