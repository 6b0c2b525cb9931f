"""The plane `Deployments` of protos/deploy.proto."""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import operator_lib
from operator_lib.errors import NotFound, PythonVersionMismatch
from operator_lib.wire.failure import encode_failure
from operator_lib.wire.proto import common_pb2 as common
from operator_lib.wire.proto import deploy_pb2 as pb
from operator_lib.wire.proto import deploy_pb2_grpc as rpc
from operator_lib.worker.control.errors import stream, unary
from operator_lib.worker.deploys import KINDS, Deployed, Progress
from operator_lib.worker.serving import StartFailed
from operator_lib.worker.store.base import DeploymentRow, VersionRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

KIND_NUMBERS = {name: number for number, name in KINDS.items()}


class Deployments(rpc.DeploymentsServicer):
    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._looked = False

    @unary
    async def MissingBlobs(self, request: pb.MissingBlobsRequest, context: Any) -> pb.MissingBlobsReply:
        reply = pb.MissingBlobsReply()
        for blob in request.blobs:
            if not self.worker.blobs.renew(blob.sha256, blob.size):
                reply.missing.add(sha256=blob.sha256, received=self.worker.blobs.received(blob.sha256))
        return reply

    async def UploadBlobs(self, request_iterator: AsyncIterator[pb.BlobChunk], context: Any) -> pb.UploadReply:
        return await self._upload(request_iterator, context)

    @unary
    async def _upload(self, chunks: AsyncIterator[pb.BlobChunk], context: Any) -> pb.UploadReply:
        blobs, total = self.worker.blobs, 0
        async for chunk in chunks:
            total += len(chunk.data)
            await asyncio.to_thread(store_chunk, blobs, chunk)
        return pb.UploadReply(bytes=total)

    @unary
    async def Plan(self, request: pb.DeployRequest, context: Any) -> pb.PlanReply:
        worker = self.worker
        reply = pb.PlanReply(changed=True, next_version=1, problems=await worker.deploys.problems(request))
        deployment = worker.store.deployment(name=request.name, kind=KINDS.get(request.kind))
        if deployment is not None:
            versions = worker.store.versions(deployment.id)
            reply.next_version = max((v.number for v in versions), default=0) + 1
            live = worker.store.version(deployment.id, deployment.live_version) if deployment.live_version else None
            if live is not None:
                reply.live_version = live.number
                reply.live_manifest.ParseFromString(live.manifest)
                reply.live_dag_json = live.dag_json
                reply.live_options_json = live.options_json
                reply.live_requirements = live.requirements
                reply.changed = live.fingerprint != request.fingerprint
        reply.environment_cached = await worker.deploys.cached(request)
        return reply

    @stream
    async def Deploy(self, request: pb.DeployRequest, context: Any) -> AsyncIterator[pb.DeployEvent]:
        try:
            steps = self.worker.deploys.deploy(request)
            async for step in steps:
                if isinstance(step, Progress) and step.phase == "starting" and request.detach:
                    row = self.worker.store.deployment(name=request.name, kind=KINDS.get(request.kind))
                    self.worker.runs.tasks.spawn(_exhaust(steps))
                    if row is not None:
                        yield pb.DeployEvent(done=pb.DeployDone(deployment=self.describe(row)))
                    return
                if isinstance(step, Deployed):
                    done = pb.DeployDone(
                        deployment=self.describe(step.deployment, step.version), unchanged=step.unchanged
                    )
                    yield pb.DeployEvent(done=done)
                elif step.log:
                    yield pb.DeployEvent(log=step.log)
                else:
                    yield pb.DeployEvent(phase=step.phase)
        except StartFailed as error:
            yield pb.DeployEvent(
                failed=common.Failure(cause="deploy_failed", message=str(error), payload=error.failure)
            )
        except PythonVersionMismatch as error:
            yield pb.DeployEvent(
                failed=common.Failure(cause="deploy_failed", message=str(error), payload=encode_failure(error))
            )

    @unary
    async def List(self, request: pb.ListRequest, context: Any) -> pb.ListReply:
        rows = self.worker.store.deployments(kind=KINDS.get(request.kind))
        return pb.ListReply(deployments=[self.describe(row) for row in rows])

    @unary
    async def Get(self, request: pb.GetRequest, context: Any) -> pb.Deployment:
        store = self.worker.store
        wanted = KINDS.get(request.kind)
        row = store.deployment(id=request.id) if request.id else store.deployment(name=request.name, kind=wanted)
        if row is None or row.deleted or (wanted and row.kind != wanted) or not row.live_version:
            about = request.id or request.name
            names = ", ".join(r.name for r in store.deployments(kind=wanted) if r.live_version) or "none"
            raise NotFound(f"no {wanted or 'deployment'} {about!r} on this worker; there is: {names}")
        version = store.version(row.id, request.version) if request.version else None
        if request.version and version is None:
            raise NotFound(f"{row.name} has no version {request.version}")
        return self.describe(row, version)

    @unary
    async def Delete(self, request: pb.DeleteRequest, context: Any) -> pb.DeleteReply:
        await self.worker.deploys.delete(request.name, KINDS.get(request.kind))
        return pb.DeleteReply()

    @unary
    async def Rollback(self, request: pb.RollbackRequest, context: Any) -> pb.Deployment:
        return self.describe(await self.worker.deploys.rollback(request.name, request.version, KINDS.get(request.kind)))

    @unary
    async def Scale(self, request: pb.ScaleRequest, context: Any) -> pb.Deployment:
        if request.replicas < 0:
            raise ValueError(f"replicas: must be 0 or more, got {request.replicas}")
        serving = await self.worker.servings.scale(request.name, None if request.automatic else request.replicas)
        return self.describe(serving.deployment)

    @unary
    async def Info(self, request: pb.InfoRequest, context: Any) -> pb.InfoReply:
        worker = self.worker
        if not self._looked:
            self._looked = True
            worker.runs.tasks.spawn(worker.executor.pythons())
        return pb.InfoReply(
            version=operator_lib.__version__,
            python=platform.python_version(),
            pid=os.getpid(),
            url=worker.endpoint.url,
            grpc_address=worker.grpc_address,
            started=worker.started,
            home=worker.endpoint.home,
            pythons=worker.executor.known_pythons(),
            running=len(worker.runs.active),
            queued=len(worker.runs.waiting),
        )

    def describe(self, row: DeploymentRow, version: VersionRow | None = None) -> pb.Deployment:
        """A deployment as callers see it."""
        worker = self.worker
        version = version or worker.store.version(row.id, row.live_version)
        serving = worker.servings.by_name.get(row.name) if row.kind == "serving" else None
        status = "ready"
        if serving is not None:
            status = serving.status
        if not row.live_version:
            status = "failed"
        shown = pb.Deployment(
            name=row.name,
            kind=KIND_NUMBERS[row.kind],
            id=row.id,
            version=row.live_version or 0,
            created=row.created,
            updated=row.updated,
            status=status,
            versions=[
                pb.Version(
                    number=v.number,
                    fingerprint=v.fingerprint,
                    created=v.created,
                    status=v.status,
                    message=v.message,
                )
                for v in worker.store.versions(row.id)
            ],
        )
        if version is not None:
            shown.schema_json = version.schema_json
            shown.options_json = version.options_json
            shown.dag_json = version.dag_json
            shown.python = version.python
        if row.kind == "job":
            shown.running = worker.store.count(row.name, "RUNNING")
            shown.waiting = worker.store.count(row.name, "PENDING")
        if row.kind == "serving":
            shown.url = f"{worker.endpoint.url}/v1/servings/{row.name}/"
            shown.token = worker.tokens.serving(row.id)
        for replica in worker.servings.replicas(row.name) if serving else ():
            shown.replicas.add(
                id=replica.id,
                pid=replica.pid,
                version=replica.version.number,
                status=replica.status,
                started=replica.started,
            )
        return shown


async def _exhaust(steps: AsyncIterator[Any]) -> None:
    async for _ in steps:
        pass


def store_chunk(blobs: Any, chunk: pb.BlobChunk) -> None:
    """Add one piece; the last one of a blob has it checked."""
    if blobs.has(chunk.sha256, chunk.size):
        return
    if blobs.append(chunk.sha256, chunk.offset, chunk.data, size=chunk.size) >= chunk.size:
        blobs.commit(chunk.sha256)
