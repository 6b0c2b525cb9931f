"""The plane `Secrets` of protos/manage.proto."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operator_lib.wire.proto import manage_pb2 as pb
from operator_lib.wire.proto import manage_pb2_grpc as rpc
from operator_lib.worker.control.errors import unary

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker


class Secrets(rpc.SecretsServicer):
    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    @unary
    async def Set(self, request: pb.SetSecretRequest, context: Any) -> pb.SetSecretReply:
        await self.worker.secrets.set(request.name, request.value)
        return pb.SetSecretReply()

    @unary
    async def List(self, request: pb.ListSecretsRequest, context: Any) -> pb.ListSecretsReply:
        found = await self.worker.secrets.names()
        return pb.ListSecretsReply(
            secrets=[pb.Secret(name=row.name, created=row.created, updated=row.updated) for row in found]
        )

    @unary
    async def Unset(self, request: pb.UnsetSecretRequest, context: Any) -> pb.UnsetSecretReply:
        await self.worker.secrets.unset(request.name)
        return pb.UnsetSecretReply()
