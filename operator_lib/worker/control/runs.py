"""The plane `Runs` of protos/runs.proto."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

from operator_lib.engine.process import FAILURE, OUTPUTS, VALUE
from operator_lib.errors import NotFound, NotReady
from operator_lib.telemetry.trace_context import TraceContext
from operator_lib.wire.failure import encode_failure
from operator_lib.wire.proto import common_pb2 as common
from operator_lib.wire.proto import runs_pb2 as pb
from operator_lib.wire.proto import runs_pb2_grpc as rpc
from operator_lib.worker import resuming, stories
from operator_lib.worker.accepted import new_run
from operator_lib.worker.control.errors import stream, unary
from operator_lib.worker.control.lease import lease
from operator_lib.worker.objects.base import ObjectsError
from operator_lib.worker.objects.storage import PATIENCE
from operator_lib.worker.store.base import RunRow
from operator_lib.worker.verdict import as_error

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Results up to this size travel with the state.
INLINE = 1 << 20
# Bytes of results that go with a list of runs.
LISTED = 1 << 20
CHUNK = 1 << 20


def caller_of(context: Any) -> str:
    """The span of who calls, as its metadata say; "" where they say none."""
    found = TraceContext.parse(str(dict(context.invocation_metadata() or ()).get("traceparent", "")))
    return str(found) if found is not None else ""


class Runs(rpc.RunsServicer):
    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    @unary
    async def Submit(self, request: pb.SubmitRequest, context: Any) -> pb.RunState:
        row = await self._row(request, caller=caller_of(context))
        return self.state(await self.worker.runs.queue.submit(row))

    async def _row(self, request: pb.SubmitRequest, old: RunRow | None = None, caller: str = "") -> RunRow:
        """A run that is asked for; `old`: the one whose input it gets when it has none."""
        worker = self.worker
        job = await worker.store.deployment(name=request.job, kind="job")
        if job is None or job.kind != "job" or not job.live_version:
            raise NotFound(f"no job {request.job!r} on this worker")
        version = request.version or job.live_version
        if request.version and await worker.store.version(job.id, version) is None:
            raise NotFound(f"{job.name} has no version {version}")
        if old is not None and request.WhichOneof("input") is None:
            return resuming.like(old, job, version, request.idempotency_key)
        by_blob = request.WhichOneof("input") == "blob"
        named = [(request.blob.sha256, request.blob.size)] if by_blob else []
        if named and await worker.blobs.aside(worker.blobs.keep, named, PATIENCE, PATIENCE):
            raise NotFound(f"the input {request.blob.sha256[:12]} was not uploaded")
        sha = request.blob.sha256 if by_blob else hashlib.sha256(request.inline).hexdigest()
        return new_run(
            job,
            version,
            idempotency_key=request.idempotency_key,
            input_sha256=sha,
            input_ref=request.blob.sha256 if by_blob else "inline",
            input_inline=None if by_blob else request.inline,
            at_most_once=request.at_most_once,
            traceparent=caller,
        )

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
        if row.terminal and row.kind == "run":
            stored = self.worker.runs.outcome_file(row) if inline else None
            if row.status != "COMPLETED":
                payload = b""
                if stored is not None and stored.name == FAILURE and row.cause_kind == "user_exception":
                    payload = stored.read_bytes()
                elif inline:
                    payload = encode_failure(as_error(row), run_id=row.id)
                shown.failure.CopyFrom(
                    common.Failure(cause=row.cause_kind or "", message=row.cause or "", payload=payload)
                )
            elif stored is not None and shown.result_size <= INLINE:
                shown.result = stored.read_bytes()
        return shown

    @stream
    async def Watch(self, requests: Any, context: Any) -> AsyncIterator[pb.RunState]:
        states: asyncio.Queue[pb.RunState | Exception | None] = asyncio.Queue(32)
        tasks: set[asyncio.Task[Any]] = set()
        following: set[asyncio.Task[None]] = set()

        async def listen() -> None:
            try:
                async for request in requests:
                    for run_id in request.run_ids:
                        task = asyncio.create_task(self._follow(run_id, states))
                        following.add(task)
                        task.add_done_callback(following.discard)
                await asyncio.gather(*following)
                await states.put(None)
            except Exception as error:
                await states.put(error)

        async def until_closed() -> None:
            await self.worker.runs.closed.wait()
            await states.put(NotReady("the worker is stopping; try again in a moment"))

        tasks.add(asyncio.create_task(listen()))
        tasks.add(asyncio.create_task(until_closed()))
        try:
            while (state := await states.get()) is not None:
                if isinstance(state, Exception):
                    raise state
                yield state
        finally:
            for task in (*tasks, *following):
                task.cancel()

    async def _follow(self, run_id: str, states: asyncio.Queue[Any]) -> None:
        """Put every state of a run into the queue, and what ends the watch before the run has ended."""
        try:
            await self._states(run_id, states.put)
        except Exception as error:
            await states.put(error)

    async def _states(self, run_id: str, put: Callable[[pb.RunState], Awaitable[None]]) -> None:
        runs, last = self.worker.runs, ("", 0)
        while True:
            signal = runs.states.next(run_id)
            row = await runs.state(run_id)
            if row is None:
                failure = common.Failure(cause="not_found", message=f"no run {run_id!r} on this worker")
                await put(pb.RunState(id=run_id, status=pb.FAILED, failure=failure))
                return
            if (row.status, row.attempts) != last:
                last = row.status, row.attempts
                await runs.bring(row)
                await put(self.state(row))
            if row.terminal:
                return
            runs.check_open()
            await signal.wait()

    @stream
    async def Events(self, request: pb.EventsRequest, context: Any) -> AsyncIterator[pb.EventBatch]:
        after, follow, kinds = request.after_seq, request.follow, request.kinds
        async for lines in stories.read(self.worker, request.run_id, after=after, follow=follow, kinds=kinds):
            yield pb.EventBatch(lines=lines)

    @stream
    async def Result(self, request: pb.ResultRequest, context: Any) -> AsyncIterator[common.Chunk]:
        row = await self.worker.runs.row(request.run_id)
        await self.worker.runs.bring(row)
        stored = self.worker.places.attempt(row.id, row.attempts) / (OUTPUTS if request.outputs else VALUE)
        if request.outputs and not stored.exists():
            return
        if not stored.exists():
            raise NotFound(f"run {request.run_id} has no stored value: it is {row.status}")
        if request.offset < 0:
            raise ValueError(f"offset: must be 0 or more, got {request.offset}")
        with open(stored, "rb") as file:
            if request.offset >= os.fstat(file.fileno()).st_size:
                return
            file.seek(request.offset)
            while data := await asyncio.to_thread(file.read, CHUNK):
                yield common.Chunk(data=data)

    @unary
    async def Cancel(self, request: pb.CancelRequest, context: Any) -> pb.RunState:
        return self.state(await self.worker.runs.cancel(request.run_id), inline=False)

    @unary
    async def Resume(self, request: pb.ResumeRequest, context: Any) -> pb.RunState:
        return self.state(await resuming.resume(self.worker.runs, request.run_id, request.key), inline=False)

    @unary
    async def Replay(self, request: pb.ReplayRequest, context: Any) -> pb.RunState:
        old = await self.worker.runs.row(request.run_id)
        row = await self._row(request.run, old)
        return self.state(await resuming.replay(self.worker.runs, old, row, request.from_node))

    @unary
    async def List(self, request: pb.ListRunsRequest, context: Any) -> pb.ListRunsReply:
        rows = await self.worker.store.runs(
            job=request.job or None, status=request.status or None, limit=request.limit or 100
        )
        if request.results:
            with contextlib.suppress(ObjectsError):  # they can be listed without
                await asyncio.gather(*map(self.worker.runs.bring, rows))
        return await asyncio.to_thread(self._listed, rows, LISTED if request.results else 0)

    def _listed(self, rows: list[RunRow], room: int) -> pb.ListRunsReply:
        """The runs, with what came of them until `room` bytes are full; the rest is asked for one by one."""
        reply = pb.ListRunsReply()
        for row in rows:
            shown = self.state(row, inline=room > 0)
            room -= len(shown.result) + len(shown.failure.payload)
            reply.runs.append(shown)
        return reply

    @unary
    async def Get(self, request: pb.GetRunRequest, context: Any) -> pb.RunState:
        row = await self.worker.runs.row(request.run_id)
        await self.worker.runs.bring(row)
        return self.state(row)

    @stream
    async def Lease(self, requests: Any, context: Any) -> AsyncIterator[pb.LeaseEvent]:
        async for event in lease(self.worker, requests):
            yield event
