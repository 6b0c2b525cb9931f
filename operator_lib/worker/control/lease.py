"""Processes on loan: a map over a job borrows replicas of its operator for as long as it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from operator_lib.errors import NotFound, QueueFull
from operator_lib.wire.proto import common_pb2 as common
from operator_lib.wire.proto import runs_pb2 as pb
from operator_lib.worker import places
from operator_lib.worker.ids import new_id
from operator_lib.worker.runs import new_run
from operator_lib.worker.servings import Replica

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Processes that one map may have.
MAX_PROCESSES = 64


async def lease(worker: Worker, requests: Any) -> AsyncIterator[pb.LeaseEvent]:
    """Carry out one `Lease`: the map is a run of its own, which ends when the caller says so or goes away."""
    first = await anext(requests)
    job = worker.store.deployment(name=first.job)
    if job is None or job.kind != "job" or not job.live_version:
        raise NotFound(f"no job {first.job!r} on this worker")
    version = worker.store.version(job.id, job.live_version)
    if version is None:
        raise NotFound(f"version {job.live_version} of {job.name} is gone")
    if not worker.runs.accepting:
        raise QueueFull("the worker is stopping", retry_after=5)
    row, _ = await worker.store.submit_run(new_run(job, version.number, kind="map"))
    folder = worker.places.run(row.id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    token = new_id()
    await worker.store.start_attempt(row.id, token)
    worker.runs.tell(row.id, "RUNNING", 1, "")
    events: asyncio.Queue[pb.LeaseEvent | None] = asyncio.Queue()
    replicas: list[Replica] = []
    waiting: set[asyncio.Task[None]] = set()
    status = "CANCELLED"

    def gone(replica: Replica) -> None:
        failure = common.Failure(cause="signal", message=replica.cause, payload=replica.failure)
        events.put_nowait(pb.LeaseEvent(run_id=row.id, replica_id=replica.id, failed=failure))

    async def provide() -> None:
        replica = await worker.launcher.start(job.name, version, folder, on_exit=gone)
        replicas.append(replica)
        await replica.settled.wait()
        if replica.status == "ready":
            events.put_nowait(
                pb.LeaseEvent(run_id=row.id, address=replica.address, token=replica.token, replica_id=replica.id)
            )

    async def listen() -> None:
        nonlocal status
        wanted, request = 0, first
        while True:
            while wanted < min(request.want, MAX_PROCESSES):
                wanted += 1
                task = asyncio.create_task(provide())
                waiting.add(task)
                task.add_done_callback(waiting.discard)
            if request.want == 0:
                status = "COMPLETED"
                break
            try:
                request = await anext(requests)
            except StopAsyncIteration:
                break
        events.put_nowait(None)

    listening = asyncio.create_task(listen())
    try:
        while (event := await events.get()) is not None:
            yield event
        yield pb.LeaseEvent(run_id=row.id, ended=True)
    finally:
        listening.cancel()
        for task in list(waiting):
            task.cancel()
        worker.runs.spawn(_end(worker, row.id, token, replicas, status))


async def _end(worker: Worker, run_id: str, token: str, replicas: list[Replica], status: str) -> None:
    for replica in replicas:
        if replica.process is not None and replica.status != "dead":
            replica.process.stop("drain", 0)
    await asyncio.gather(*(r.gone.wait() for r in replicas))
    cause = "" if status == "COMPLETED" else "the caller went away"
    worker.runs.tell(run_id, status, 1, cause)
    await worker.store.finish_run(
        run_id, token, status, "" if status == "COMPLETED" else "cancelled", cause, -1, None, None, 0
    )
    worker.runs.announce(run_id)
    for replica in replicas:
        await places.clear(worker.places.run(run_id) / replica.id, keep=True)
