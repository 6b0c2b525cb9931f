"""The plane `Servings` of protos/serving.proto: where to send calls. The calls themselves go past the worker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from operator_lib.errors import AuthenticationError, NotFound
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.wire.proto import serving_pb2_grpc as rpc
from operator_lib.worker.auth import DENIED, shown
from operator_lib.worker.control.errors import unary
from operator_lib.worker.servings import Serving, StartFailed
from operator_lib.worker.store.base import VersionRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Seconds that a caller may ask to wait for a replica.
MAX_WAIT = 60.0
# Seconds for a replica whose connection broke to be seen to have ended.
FATE_WAIT = 3.0


class Servings(rpc.ServingsServicer):
    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    def allowed(self, name: str, context: Any) -> Serving:
        """The serving, if the caller's token may call it."""
        worker = self.worker
        token = shown(context.invocation_metadata())
        known = worker.servings.by_name.get(name)
        allowed = worker.tokens.is_owner(token) if known is None else worker.tokens.may_call(token, known.deployment.id)
        if not allowed:
            raise AuthenticationError(DENIED[1])
        return worker.servings.get(name)

    def version(self, serving: Serving, number: int) -> VersionRow:
        """One version of a serving, that can be started.

        Raises:
            NotFound: there is none.
        """
        found = self.worker.store.version(serving.deployment.id, number)
        if found is None or found.status != "ready":
            raise NotFound(f"{serving.deployment.name} has no version {number} that can be called")
        return found

    @unary
    async def Fate(self, request: pb.FateRequest, context: Any) -> pb.FateReply:
        self.allowed(request.name, context)
        known = [r for s in self.worker.servings.every(request.name) for r in [*s.replicas, *s.leaving, *s.dead]]
        replica = next((r for r in known if r.id == request.replica_id), None)
        if replica is None:
            return pb.FateReply()
        try:
            await asyncio.wait_for(replica.gone.wait(), FATE_WAIT)
        except TimeoutError:
            return pb.FateReply(cause="the connection to it broke")
        found = self.worker.launcher.ledger(replica).get(request.session)
        kind, cause = replica.fate(request.session, request.call)
        last = found.call if found is not None else 0
        return pb.FateReply(known=found is not None, last_started=last, cause=cause, kind=kind)

    @unary
    async def Connect(self, request: pb.ConnectRequest, context: Any) -> pb.ConnectReply:
        serving = self.allowed(request.name, context)
        if request.version:
            serving = self.worker.servings.at(request.name, self.version(serving, request.version))
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
        )
        for replica in replicas:
            reply.endpoints.add(replica_id=replica.id, address=replica.address, token=replica.token)
        return reply
