"""A deploy like any other, with TorchServe's words for its failures."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING

from operator_lib.errors import OperatorError
from operator_lib.wire import failure
from operator_lib.wire.proto import deploy_pb2 as pb
from operator_lib.worker.http.torchserve.answers import Refused
from operator_lib.worker.serving import StartFailed

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker


def turn(worker: Worker, name: str) -> asyncio.Lock:
    """Held by who changes a workflow: what it is to be follows from what it is."""
    locks: dict[str, asyncio.Lock] = worker.__dict__.setdefault("_torchserve_turns", {})
    return locks.setdefault(name, asyncio.Lock())


async def deploy(worker: Worker, request: pb.DeployRequest, words: str) -> None:
    """Carry it out. Raises Refused, beginning with `words`."""
    try:
        async for _ in worker.deploys.deploy(request):
            pass
    except OperatorError as problem:
        why = str(problem)
        if isinstance(problem, StartFailed) and problem.failure:
            raised = failure.decode_failure(problem.failure)
            exact = worker.config.compat == "exact"
            why = (exact and _exactly(raised, request)) or f"{why}: {raised}"
        raise Refused(500, "WorkflowException", f"{words} Failures: [{why}]") from None


def _exactly(raised: Exception, request: pb.DeployRequest) -> str:
    """As the original says it, when a node could not be loaded."""
    said = json.loads(request.schema_json)["torchserve"]
    for note in getattr(raised, "__notes__", ()):
        if found := re.fullmatch(r"while loading .* for node (\S+) of (\S+)", note):
            node, workflow = found.groups()
            version = said["versions"].get(node, "1.0")
            return f"Failed to start workers for model {workflow}__{node} version: {version}"
    return ""
