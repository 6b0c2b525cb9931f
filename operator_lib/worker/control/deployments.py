"""The plane `Deployments` of protos/deploy.proto."""

from __future__ import annotations

import asyncio
import contextlib
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
from operator_lib.worker.objects.base import ObjectsError
from operator_lib.worker.serving import StartFailed
from operator_lib.worker.store.base import DeploymentRow, VersionRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Seconds that an upload waits for object storage that is away.
AT_ONCE = 1.0
KIND_NUMBERS = {name: number for number, name in KINDS.items()}


class Deployments(rpc.DeploymentsServicer):
    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._looked = False

    @unary
    async def MissingBlobs(self, request: pb.MissingBlobsRequest, context: Any) -> pb.MissingBlobsReply:
        reply = pb.MissingBlobsReply()
        blobs = self.worker.blobs
        lacking = await blobs.aside(blobs.lacking, [(blob.sha256, blob.size) for blob in request.blobs])
        for sha, received in lacking.items():
            reply.missing.add(sha256=sha, received=received)
        return reply

    async def UploadBlobs(self, request_iterator: AsyncIterator[pb.BlobChunk], context: Any) -> pb.UploadReply:
        return await self._upload(request_iterator, context)

    @unary
    async def _upload(self, chunks: AsyncIterator[pb.BlobChunk], context: Any) -> pb.UploadReply:
        blobs, total, whole = self.worker.blobs, 0, set[tuple[str, int]]()
        async for chunk in chunks:
            total += len(chunk.data)
            await asyncio.to_thread(store_chunk, blobs, chunk)
            if chunk.offset + len(chunk.data) >= chunk.size:
                whole.add((chunk.sha256, chunk.size))
        with contextlib.suppress(ObjectsError):  # they are here: whoever is about to name them waits for it
            await blobs.aside(blobs.keep, whole, AT_ONCE)
        return pb.UploadReply(bytes=total)

    @unary
    async def Plan(self, request: pb.DeployRequest, context: Any) -> pb.PlanReply:
        worker = self.worker
        reply = pb.PlanReply(changed=True, next_version=1, problems=await worker.deploys.problems(request))
        deployment = await worker.store.deployment(name=request.name, kind=KINDS.get(request.kind))
        if deployment is not None:
            versions = await worker.store.versions(deployment.id)
            reply.next_version = max((v.number for v in versions), default=0) + 1
            live = (
                await worker.store.version(deployment.id, deployment.live_version) if deployment.live_version else None
            )
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
        if request.kind == common.DEPLOYMENT_KIND_SERVING:
            there = await self.worker.elsewhere.stream(request.name, rpc.DeploymentsStub, "Deploy", request, context)
            if there is not None:
                async for event in there:
                    yield event
                return
        try:
            steps = self.worker.deploys.deploy(request)
            async for step in steps:
                if isinstance(step, Progress) and step.phase == "starting" and request.detach:
                    row = await self.worker.store.deployment(name=request.name, kind=KINDS.get(request.kind))
                    self.worker.runs.tasks.spawn(_exhaust(steps))
                    if row is not None:
                        yield pb.DeployEvent(done=pb.DeployDone(deployment=await self.describe(row)))
                    return
                if isinstance(step, Deployed):
                    done = pb.DeployDone(
                        deployment=await self.describe(step.deployment, step.version), unchanged=step.unchanged
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
        rows = await self.worker.store.deployments(kind=KINDS.get(request.kind))
        return pb.ListReply(deployments=[await self.describe(row) for row in rows])

    @unary
    async def Get(self, request: pb.GetRequest, context: Any) -> pb.Deployment:
        store = self.worker.store
        wanted = KINDS.get(request.kind)
        row = (
            await store.deployment(id=request.id)
            if request.id
            else await store.deployment(name=request.name, kind=wanted)
        )
        if row is None or row.deleted or (wanted and row.kind != wanted) or not row.live_version:
            about = request.id or request.name
            names = ", ".join(r.name for r in await store.deployments(kind=wanted) if r.live_version) or "none"
            raise NotFound(f"no {wanted or 'deployment'} {about!r} on this worker; there is: {names}")
        version = await store.version(row.id, request.version) if request.version else None
        if request.version and version is None:
            raise NotFound(f"{row.name} has no version {request.version}")
        return await self.describe(row, version)

    @unary
    async def Delete(self, request: pb.DeleteRequest, context: Any) -> pb.DeleteReply:
        if (there := await self._elsewhere("Delete", request, context)) is not None:
            return there
        await self.worker.deploys.delete(request.name, KINDS.get(request.kind))
        return pb.DeleteReply()

    @unary
    async def Rollback(self, request: pb.RollbackRequest, context: Any) -> pb.Deployment:
        if (there := await self._elsewhere("Rollback", request, context)) is not None:
            return there
        row = await self.worker.deploys.rollback(request.name, request.version, KINDS.get(request.kind))
        return await self.describe(row)

    @unary
    async def Scale(self, request: pb.ScaleRequest, context: Any) -> pb.Deployment:
        if request.replicas < 0:
            raise ValueError(f"replicas: must be 0 or more, got {request.replicas}")
        there = await self.worker.elsewhere.ask(request.name, rpc.DeploymentsStub, "Scale", request, context)
        if there is not None:
            return there
        serving = await self.worker.servings.scale(request.name, None if request.automatic else request.replicas)
        return await self.describe(serving.deployment)

    async def _elsewhere(self, method: str, request: Any, context: Any) -> Any:
        """The answer of another worker, when it is about a serving that it holds."""
        if not self.worker.elsewhere.possible:
            return None
        row = await self.worker.store.deployment(name=request.name, kind=KINDS.get(request.kind))
        if row is None or row.kind != "serving":
            return None
        return await self.worker.elsewhere.ask(request.name, rpc.DeploymentsStub, method, request, context)

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
            queued=worker.runs.queue.queued,
        )

    async def describe(self, row: DeploymentRow, version: VersionRow | None = None) -> pb.Deployment:
        """A deployment as callers see it."""
        worker = self.worker
        version = version or await worker.store.version(row.id, row.live_version)
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
                for v in await worker.store.versions(row.id)
            ],
        )
        if version is not None:
            shown.schema_json = version.schema_json
            shown.options_json = version.options_json
            shown.dag_json = version.dag_json
            shown.python = version.python
        if row.kind == "job":
            shown.running = await worker.store.count(row.name, "RUNNING")
            shown.waiting = await worker.store.count(row.name, "PENDING")
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
