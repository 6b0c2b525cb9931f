"""The plane `Servings` of protos/serving.proto: where to send calls. The calls themselves go past the worker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from operator_lib.errors import AuthenticationError
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.wire.proto import serving_pb2_grpc as rpc
from operator_lib.worker.applied import options_of
from operator_lib.worker.auth import DENIED, shown
from operator_lib.worker.control.errors import unary
from operator_lib.worker.serving import Serving, StartFailed

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Seconds that a caller may ask to wait for a replica.
MAX_WAIT = 60.0
# Seconds for a replica whose connection broke to be seen to have ended.
FATE_WAIT = 3.0


class Servings(rpc.ServingsServicer):
    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    async def allowed(self, name: str, context: Any, version: int = 0) -> Serving:
        """The serving, if the caller's token may call it."""
        worker = self.worker
        token = shown(context.invocation_metadata())
        known = worker.servings.by_name.get(name)
        allowed = worker.tokens.is_owner(token) if known is None else worker.tokens.may_call(token, known.deployment.id)
        if not allowed:
            raise AuthenticationError(DENIED[1])
        return await worker.servings.version(name, version)

    async def _elsewhere(self, method: str, request: Any, context: Any) -> Any:
        return await self.worker.elsewhere.ask(request.name, rpc.ServingsStub, method, request, context)

    @unary
    async def Fate(self, request: pb.FateRequest, context: Any) -> pb.FateReply:
        if (there := await self._elsewhere("Fate", request, context)) is not None:
            return there
        await self.allowed(request.name, context)
        replica = self.worker.servings.find(request.name, request.replica_id)
        if replica is None:
            return pb.FateReply()
        try:
            await asyncio.wait_for(replica.gone.wait(), FATE_WAIT)
        except TimeoutError:
            return pb.FateReply(cause="the connection to it broke")
        found = self.worker.launcher.ledger(replica).get(request.session)
        kind, cause = replica.fate(request.session, request.call)
        # A session that it has not noted never reached it: the last thing that it said was that it goes.
        last = found.call if found is not None else 0
        batch = options_of(replica.version).batch is not None
        shared = batch and found is not None and found.shared(request.call)
        return pb.FateReply(
            known=replica.answered and not replica.lost, last_started=last, cause=cause, kind=kind, shared=shared
        )

    @unary
    async def Connect(self, request: pb.ConnectRequest, context: Any) -> pb.ConnectReply:
        if (there := await self._elsewhere("Connect", request, context)) is not None:
            return there
        serving = await self.allowed(request.name, context, request.version)
        wait = min(request.wait or MAX_WAIT, MAX_WAIT)
        try:
            replicas = await serving.connect(wait, set(request.dead))
        except StartFailed as error:
            return pb.ConnectReply(cause=str(error), failure=error.failure)
        version = serving.version
        reply = pb.ConnectReply(
            version=version.number if version else 0,
            schema_json=version.schema_json if version else "",
            options_json=version.options_json if version else "",
            cause=next((r.cause for r in reversed(serving.dead) if r.id in request.dead), ""),
            certificate=self.worker.launcher.certificate,
        )
        for replica in replicas:
            reply.endpoints.add(replica_id=replica.id, address=replica.address, token=replica.token, line=replica.line)
        return reply

    @unary
    async def Stats(self, request: pb.StatsRequest, context: Any) -> pb.StatsReply:
        if (there := await self._elsewhere("Stats", request, context)) is not None:
            return there
        serving = await self.allowed(request.name, context)
        await self.worker.servings.refresh(request.name)
        return told(self.worker, serving)


def told(worker: Worker, serving: Serving) -> pb.StatsReply:
    """What its replicas have done and have to do, as they said when they were asked last."""
    name = serving.deployment.name
    reply = pb.StatsReply(
        status=serving.status,
        version=serving.version.number if serving.version else 0,
        wanted=serving.wanted,
        restarts=sum(each.restarts for each in worker.servings.of(name)),
    )
    for r in worker.servings.replicas(name):
        reply.replicas.add(
            id=r.id, pid=r.pid, version=r.version.number, status=r.status, started=r.started, load=r.load
        )
    return reply
