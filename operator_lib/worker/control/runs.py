"""The plane `Runs` of protos/runs.proto."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from operator_lib.engine.process import FAILURE, VALUE
from operator_lib.errors import NotFound
from operator_lib.wire.proto import common_pb2 as common
from operator_lib.wire.proto import runs_pb2 as pb
from operator_lib.wire.proto import runs_pb2_grpc as rpc
from operator_lib.worker import history
from operator_lib.worker.control.errors import stream, unary
from operator_lib.worker.control.lease import lease
from operator_lib.worker.runs import TERMINAL, new_run
from operator_lib.worker.store.base import RunRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Results up to this size travel with the state.
INLINE = 1 << 20
CHUNK = 1 << 20


class Runs(rpc.RunsServicer):
    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    @unary
    async def Submit(self, request: pb.SubmitRequest, context: Any) -> pb.RunState:
        worker = self.worker
        job = worker.store.deployment(name=request.job)
        if job is None or job.kind != "job" or not job.live_version:
            raise NotFound(f"no job {request.job!r} on this worker")
        version = request.version or job.live_version
        if worker.store.version(job.id, version) is None:
            raise NotFound(f"{job.name} has no version {version}")
        by_blob = request.WhichOneof("input") == "blob"
        if by_blob and not worker.blobs.has(request.blob.sha256, request.blob.size):
            raise NotFound(f"the input {request.blob.sha256[:12]} was not uploaded")
        sha = request.blob.sha256 if by_blob else hashlib.sha256(request.inline).hexdigest()
        row = await worker.runs.submit(
            new_run(
                job,
                version,
                idempotency_key=request.idempotency_key,
                input_sha256=sha,
                input_ref=request.blob.sha256 if by_blob else "inline",
                input_inline=None if by_blob else request.inline,
                at_most_once=request.at_most_once,
            )
        )
        return self.state(row)

    def state(self, row: RunRow, *, inline: bool = True) -> pb.RunState:
        """A run as callers see it."""
        shown = pb.RunState(
            id=row.id,
            job=row.job,
            version=row.version,
            status=row.status,
            created=row.created,
            started=row.started or 0.0,
            ended=row.ended or 0.0,
            attempts=row.attempts,
            result_size=-1 if row.result_size is None else row.result_size,
            cause=row.cause or "",
        )
        if row.status in TERMINAL and row.kind == "run":
            stored = self.worker.runs.outcome_file(row)
            if row.status != "COMPLETED":
                payload = stored.read_bytes() if stored is not None and stored.name == FAILURE and inline else b""
                shown.failure.CopyFrom(
                    common.Failure(cause=row.cause_kind or "", message=row.cause or "", payload=payload)
                )
            elif stored is not None and inline and shown.result_size <= INLINE:
                shown.result = stored.read_bytes()
        return shown

    async def Watch(self, request_iterator: Any, context: Any) -> AsyncIterator[pb.RunState]:
        states: asyncio.Queue[pb.RunState | None] = asyncio.Queue(256)
        tasks: set[asyncio.Task[Any]] = set()

        async def listen() -> None:
            async for request in request_iterator:
                for run_id in request.run_ids:
                    task = asyncio.create_task(self._follow(run_id, states))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
            await asyncio.gather(*tasks, return_exceptions=True)
            await states.put(None)

        listening = asyncio.create_task(listen())
        try:
            while (state := await states.get()) is not None:
                yield state
        finally:
            listening.cancel()
            for task in list(tasks):
                task.cancel()

    async def _follow(self, run_id: str, states: asyncio.Queue[pb.RunState | None]) -> None:
        runs, last = self.worker.runs, ("", 0)
        while True:
            signal = runs.changed(run_id)
            row = self.worker.store.run(run_id)
            if row is None:
                failure = common.Failure(cause="not_found", message=f"no run {run_id!r} on this worker")
                await states.put(pb.RunState(id=run_id, status=pb.FAILED, failure=failure))
                return
            if (row.status, row.attempts) != last:
                last = row.status, row.attempts
                await states.put(self.state(row))
            if row.status in TERMINAL:
                return
            await signal.wait()

    @stream
    async def Events(self, request: pb.EventsRequest, context: Any) -> AsyncIterator[pb.EventBatch]:
        files, changed, ended = self._history(request.run_id)
        for file in files[:-1]:
            async for lines in history.read(file, 0, None, lambda: True, request.logs_only):
                yield pb.EventBatch(lines=lines)
        follow = changed if request.follow else None
        async for lines in history.read(files[-1], request.after_seq, follow, ended, request.logs_only):
            yield pb.EventBatch(lines=lines)

    def _history(self, name: str) -> tuple[list[Path], Any, Any]:
        """The events files of a run, of a map, of a replica, or of all replicas of a serving."""
        worker = self.worker
        row = worker.store.run(name)
        if row is not None:
            folder = worker.places.run(row.id)
            inner = sorted(folder.glob("*/events")) if row.kind == "map" else []
            return (
                [*inner, worker.places.events(row.id)],
                lambda: worker.runs.changed(row.id),
                lambda: worker.runs.ended(row.id),
            )
        serving = worker.servings.by_name.get(name)
        if serving is not None:
            replicas = [*serving.dead, *serving.replicas]
            if replicas:
                files = [worker.places.replica(r.id) / "events" for r in replicas]
                return files, _tick, lambda: serving.closed
        raise NotFound(f"no run or serving {name!r} on this worker")

    @stream
    async def Result(self, request: pb.ResultRequest, context: Any) -> AsyncIterator[common.Chunk]:
        row = self.worker.runs.row(request.run_id)
        stored = self.worker.places.attempt(row.id, row.attempts) / VALUE
        if not stored.exists():
            raise NotFound(f"run {request.run_id} has no stored value: it is {row.status}")
        with open(stored, "rb") as file:
            file.seek(request.offset)
            while data := await asyncio.to_thread(file.read, CHUNK):
                yield common.Chunk(data=data)

    @unary
    async def Cancel(self, request: pb.CancelRequest, context: Any) -> pb.RunState:
        return self.state(await self.worker.runs.cancel(request.run_id), inline=False)

    @unary
    async def List(self, request: pb.ListRunsRequest, context: Any) -> pb.ListRunsReply:
        rows = self.worker.store.runs(
            job=request.job or None, status=request.status or None, limit=request.limit or 100
        )
        return pb.ListRunsReply(runs=[self.state(row, inline=False) for row in rows])

    @unary
    async def Get(self, request: pb.GetRunRequest, context: Any) -> pb.RunState:
        return self.state(self.worker.runs.row(request.run_id))

    async def Lease(self, request_iterator: Any, context: Any) -> AsyncIterator[pb.LeaseEvent]:
        async for event in self._lease(request_iterator, context):
            yield event

    @stream
    async def _lease(self, request_iterator: Any, context: Any) -> AsyncIterator[pb.LeaseEvent]:
        async for event in lease(self.worker, request_iterator):
            yield event


def _tick() -> asyncio.Event:
    """Set in a moment: replicas do not announce what they print."""
    signal = asyncio.Event()
    asyncio.get_running_loop().call_later(0.1, signal.set)
    return signal
