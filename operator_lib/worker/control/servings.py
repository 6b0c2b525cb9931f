"""The plane `Servings` of protos/serving.proto: where to send calls. The calls themselves go past the worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operator_lib.errors import AuthenticationError
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.wire.proto import serving_pb2_grpc as rpc
from operator_lib.worker.auth import DENIED, shown
from operator_lib.worker.control.errors import unary
from operator_lib.worker.servings import StartFailed

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Seconds that a caller may ask to wait for a replica.
MAX_WAIT = 60.0


class Servings(rpc.ServingsServicer):
    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    @unary
    async def Connect(self, request: pb.ConnectRequest, context: Any) -> pb.ConnectReply:
        worker = self.worker
        token = shown(context.invocation_metadata())
        known = worker.servings.by_name.get(request.name)
        allowed = worker.tokens.is_owner(token) if known is None else worker.tokens.may_call(token, known.deployment.id)
        if not allowed:
            raise AuthenticationError(DENIED[1])
        serving = worker.servings.get(request.name)
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
