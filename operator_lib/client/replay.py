"""A new run that takes over what an old one has finished."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from operator_lib.client.job import JobHandle
from operator_lib.client.run import RemoteRun
from operator_lib.wire.proto import common_pb2, deploy_pb2, runs_pb2

if TYPE_CHECKING:
    from operator_lib.client.connect import Connection


def replay(connection: Connection, old: RemoteRun, from_node: str | None, code: Any, inputs: Any) -> RemoteRun:
    """`RemoteRun.replay`."""
    handle, version = _job(connection, old, code)
    if inputs is None:
        asked = runs_pb2.SubmitRequest(job=handle._name, idempotency_key=uuid.uuid4().hex)
    else:
        args, kwargs = _arguments(inputs)
        asked = handle._request(args, kwargs)
    asked.version = version
    request = runs_pb2.ReplayRequest(run_id=old.id, run=asked, from_node=from_node or "")
    state = connection.call(connection.runs.Replay, request, about=f"replay {old.id}", timeout=None)
    return RemoteRun(connection, state, handle._load)


def _job(connection: Connection, old: RemoteRun, code: Any) -> tuple[JobHandle, int]:
    """The job that is to run, and which version of it (0: the live one)."""
    if isinstance(code, JobHandle):
        if code._connection.address != connection.address:
            raise ValueError(f"code: it is deployed on {code._connection.address}, the run on {connection.address}")
        return code, 0
    if code is not None and (isinstance(code, bool) or not isinstance(code, int) or code < 1):
        raise TypeError(f"code: must be a version number or a deployed job, got {code!r:.80}")
    request = deploy_pb2.GetRequest(name=old.job, kind=common_pb2.DEPLOYMENT_KIND_JOB)
    return JobHandle(connection, connection.call(connection.deployments.Get, request)), code or 0


def _arguments(inputs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A dict is keyword arguments, a tuple positional ones, anything else the only one: as in `star_map`."""
    if isinstance(inputs, dict):
        return (), inputs
    return inputs if isinstance(inputs, tuple) else (inputs,), {}
