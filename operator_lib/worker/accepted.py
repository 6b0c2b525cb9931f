"""A run as it is when it has been accepted: what the store is given before the caller is told its id."""

from __future__ import annotations

import time

from operator_lib.worker.ids import new_id
from operator_lib.worker.store.base import DeploymentRow, RunRow


def new_run(
    deployment: DeploymentRow,
    version: int,
    *,
    kind: str = "run",
    idempotency_key: str = "",
    input_sha256: str = "",
    input_ref: str = "",
    input_inline: bytes | None = None,
    at_most_once: bool = False,
    traceparent: str = "",
) -> RunRow:
    """A row for a run that is about to be accepted."""
    return RunRow(
        id=new_id(),
        deployment_id=deployment.id,
        job=deployment.name,
        version=version,
        kind=kind,
        created=time.time(),
        idempotency_key=idempotency_key,
        input_sha256=input_sha256,
        input_ref=input_ref,
        input_inline=input_inline,
        at_most_once=at_most_once,
        traceparent=traceparent,
    )
