"""The plane `Schedules` of protos/manage.proto."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from operator_lib.errors import NotFound
from operator_lib.wire.proto import manage_pb2 as pb
from operator_lib.wire.proto import manage_pb2_grpc as rpc
from operator_lib.worker.control.errors import unary
from operator_lib.worker.store.base import DeploymentRow, ScheduleRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker


class Schedules(rpc.SchedulesServicer):
    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    @unary
    async def Create(self, request: pb.CreateScheduleRequest, context: Any) -> pb.Schedule:
        row = await self.worker.schedules.create(
            await self._job(request.job),
            request.cron,
            request.timezone,
            request.input,
            request.grace if request.HasField("grace") else None,
            request.idempotency_key,
        )
        return self.shown(row)

    @unary
    async def List(self, request: pb.ListSchedulesRequest, context: Any) -> pb.ListSchedulesReply:
        job = await self._job(request.job) if request.job else None
        return self._reply(await self.worker.schedules.listed(job))

    @unary
    async def Pause(self, request: pb.ChangeSchedulesRequest, context: Any) -> pb.ListSchedulesReply:
        return await self._change(request, self.worker.schedules.pause)

    @unary
    async def Resume(self, request: pb.ChangeSchedulesRequest, context: Any) -> pb.ListSchedulesReply:
        return await self._change(request, self.worker.schedules.resume)

    @unary
    async def Delete(self, request: pb.ChangeSchedulesRequest, context: Any) -> pb.ListSchedulesReply:
        """Answers what was there."""
        rows = await self._named(request)
        for row in rows:
            await self.worker.schedules.remove(row)
        return self._reply(rows)

    async def _change(
        self, request: pb.ChangeSchedulesRequest, change: Callable[[ScheduleRow], Awaitable[None]]
    ) -> pb.ListSchedulesReply:
        rows = await self._named(request)
        for row in rows:
            await change(row)
        return self._reply([await self.worker.schedules.find(row.id) for row in rows])

    async def _named(self, request: pb.ChangeSchedulesRequest) -> list[ScheduleRow]:
        if bool(request.id) == bool(request.job):
            raise ValueError("name either a schedule by its id, or a job")
        schedules = self.worker.schedules
        if request.id:
            return [await schedules.find(request.id)]
        return await schedules.listed(await self._job(request.job))

    async def _job(self, name: str) -> DeploymentRow:
        found = await self.worker.store.deployment(name=name, kind="job")
        if found is None or not found.live_version:
            raise NotFound(f"no job {name!r} on this worker")
        return found

    def _reply(self, rows: list[ScheduleRow]) -> pb.ListSchedulesReply:
        return pb.ListSchedulesReply(schedules=[self.shown(row) for row in rows])

    def shown(self, row: ScheduleRow) -> pb.Schedule:
        """A schedule as callers see it."""
        return pb.Schedule(
            id=row.id,
            job=row.job,
            cron=row.cron,
            timezone=row.timezone,
            paused=row.paused,
            grace=row.grace,
            created=row.created,
            next=self.worker.schedules.next(row) or 0.0,
            last=row.last or 0.0,
            last_run=row.last_run,
            note=row.note,
        )
