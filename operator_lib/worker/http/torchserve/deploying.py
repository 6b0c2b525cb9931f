"""A deploy like any other, with TorchServe's words for its failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operator_lib.errors import OperatorError
from operator_lib.wire import failure
from operator_lib.wire.proto import deploy_pb2 as pb
from operator_lib.worker.http.torchserve.answers import Refused
from operator_lib.worker.serving import StartFailed

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker


async def deploy(worker: Worker, request: pb.DeployRequest, words: str) -> None:
    """Carry it out. Raises Refused, beginning with `words`."""
    try:
        async for _ in worker.deploys.deploy(request):
            pass
    except OperatorError as problem:
        why = str(problem)
        if isinstance(problem, StartFailed) and problem.failure:
            why = f"{why}: {failure.decode_failure(problem.failure)}"
        raise Refused(500, "WorkflowException", f"{words} Failures: [{why}]") from None
