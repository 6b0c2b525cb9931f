"""Processes on loan: a map over a job borrows replicas of its operator for as long as it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from operator_lib.engine import harvest
from operator_lib.engine.ledger import Started
from operator_lib.engine.process import HARVEST
from operator_lib.errors import NotFound, NotReady
from operator_lib.wire.proto import common_pb2 as common
from operator_lib.wire.proto import runs_pb2 as pb
from operator_lib.worker import places
from operator_lib.worker.accepted import new_run
from operator_lib.worker.ids import new_id
from operator_lib.worker.replicas import Replica
from operator_lib.worker.store.base import DeploymentRow, VersionRow
from operator_lib.worker.tasks import Tasks

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Processes that one map may have.
MAX_PROCESSES = 64


async def lease(worker: Worker, requests: Any) -> AsyncIterator[pb.LeaseEvent]:
    """Carry out one `Lease`: the map is a run of its own, which ends when the caller says so or goes away."""
    first = await anext(requests, None)
    if first is None:
        raise ValueError("a lease begins with a request that names the job")
    if not worker.runs.queue.accepting:
        raise NotReady("the worker is stopping; try again in a moment")
    job = await worker.store.deployment(name=first.job, kind="job")
    if job is None or job.kind != "job" or not job.live_version:
        raise NotFound(f"no job {first.job!r} on this worker")
    version = await worker.store.version(job.id, job.live_version)
    if version is None:
        raise NotFound(f"version {job.live_version} of {job.name} is gone")
    loan = Loan(worker, job, version)
    await loan.open()
    listening = loan.tasks.spawn(loan.listen(first, requests))
    try:
        while (event := await loan.events.get()) is not None:
            yield event
        yield pb.LeaseEvent(run_id=loan.run_id, ended=True)
    finally:
        listening.cancel()
        worker.runs.tasks.spawn(loan.close())


class Loan:
    """The processes of one map."""

    def __init__(self, worker: Worker, job: DeploymentRow, version: VersionRow) -> None:
        self.worker = worker
        self.job = job
        self.version = version
        self.token = new_id()
        self.row = new_run(job, version.number, kind="map")
        self.run_id = self.row.id
        self.folder = worker.places.run(self.run_id)
        self.events: asyncio.Queue[pb.LeaseEvent | None] = asyncio.Queue()
        self.replicas: list[Replica] = []
        self.tasks = Tasks()
        self.ending = False
        self.status, self.cause = "CANCELLED", "the caller went away"

    async def open(self) -> None:
        """Note in the store that it runs."""
        runs = self.worker.runs
        await self.worker.store.submit_run(replace(self.row, owner=runs.queue.me))
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        await self.worker.store.start_attempt(self.run_id, self.token, runs.queue.me)
        runs.leases[self.run_id] = self.end
        runs.tell(self.run_id, "RUNNING", 1, "")

    async def listen(self, request: pb.LeaseRequest, requests: Any) -> None:
        """Do as the caller says, until that is: enough."""
        wanted = 0
        try:
            while request.want > 0:
                while wanted < min(request.want, MAX_PROCESSES):
                    wanted += 1
                    self.tasks.spawn(self.provide())
                further = await anext(requests, None)
                if further is None:  # gone without a word
                    return
                request = further
            self.status, self.cause = "COMPLETED", ""
        finally:
            self.events.put_nowait(None)

    async def provide(self) -> None:
        """One process more."""
        replica = Replica(self.version)
        self.replicas.append(replica)
        await self.worker.launcher.start(replica, self.job.name, self.folder, on_exit=self.gone)
        await replica.settled.wait()
        if replica.status == "ready":
            event = pb.LeaseEvent(
                run_id=self.run_id,
                address=replica.address,
                token=replica.token,
                replica_id=replica.id,
                line=replica.line,
                certificate=replica.certificate,
            )
            self.events.put_nowait(event)

    def gone(self, replica: Replica) -> None:
        """A process has ended; when that was not our doing, the caller is told."""
        if not self.ending:
            self.tasks.spawn(self._report(replica))

    async def _report(self, replica: Replica) -> None:
        """Why it has ended, and how far it had come."""
        failure = common.Failure(cause=replica.cause_kind or "signal", message=replica.cause, payload=replica.failure)
        # It has had one caller: whoever listens here.
        started = next(iter(self.worker.launcher.ledger(replica, self.folder).values()), Started())
        kept = await asyncio.to_thread(harvest.load, self.folder / replica.id / HARVEST)
        event = pb.LeaseEvent(run_id=self.run_id, replica_id=replica.id, failed=failure, outcomes=kept)
        event.last_started, event.begun = started.call, started.begun
        self.events.put_nowait(event)

    def end(self) -> None:
        """Cancelled, or the worker is stopping."""
        self.cause = "cancelled" if self.worker.runs.queue.accepting else "worker restarted"
        self.events.put_nowait(None)

    async def close(self) -> None:
        """End the processes, then note that it is over."""
        self.ending = True
        for replica in self.replicas:
            replica.stop(0)
        for replica in self.replicas:
            await replica.gone.wait()
        runs = self.worker.runs
        runs.tell(self.run_id, self.status, 1, self.cause)
        if runs.archive is not None:
            await runs.archive.take(self.run_id, 1, self.status)
        kind = "" if self.status == "COMPLETED" else "cancelled"
        finish = self.worker.store.finish_run
        await runs.insist(lambda: finish(self.run_id, self.token, self.status, kind, self.cause))
        runs.end_lease(self.run_id)
        runs.announce(self.run_id)
        for replica in self.replicas:
            await places.clear(self.folder / replica.id, keep=True)
