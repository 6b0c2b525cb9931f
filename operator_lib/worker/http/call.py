"""A call of a serving with plain JSON: an object is keyword arguments, anything else the first argument."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import grpc
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from operator_lib.errors import NotReady, WorkerDied
from operator_lib.wire import codec, failure
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.wire.proto import serving_pb2_grpc as rpc
from operator_lib.worker.http.guard import error_response

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Bytes of a request's body.
BODY_LIMIT = 8 << 20
# Seconds to wait for a replica.
WAIT = 30.0


async def call_serving(worker: Worker, row: Any, request: Request) -> Response:
    """Pass a call on to a replica, its answer back."""
    method = request.path_params.get("method", "")
    payload = await body(request)
    try:
        json.loads(payload or b"{}")
    except (ValueError, RecursionError) as problem:
        raise ValueError(f"the body is not JSON: {problem}") from None
    call = pb.Call(id=1, verb=pb.CALL, name=method, payload=payload, json=True)
    for _ in range(3):
        replica = (await worker.servings.get(row.name).connect(WAIT, set()))[0]
        metadata = (("authorization", f"Bearer {replica.token}"),)
        stub: Any = rpc.CallsStub(worker.channel(replica.address))
        try:
            answer = await stub.Invoke(call, metadata=metadata)
        except grpc.RpcError as refused:
            error: Any = refused
            if error.code() == grpc.StatusCode.UNAVAILABLE and replica.status != "ready":
                raise WorkerDied(f"the replica of {row.name} ended before it answered: {replica.cause}") from None
            raise NotReady(f"{row.name} did not answer: {error.details()}") from None
        if answer.kind == pb.REFUSED:
            continue
        if answer.kind == pb.ITERATOR:
            lines: Any = items(stub, answer, metadata)
            return StreamingResponse(lines, media_type="application/x-ndjson")
        return respond(answer)
    raise NotReady(f"{row.name} is changing its version; try again")


async def items(stub: Any, answer: pb.Answer, metadata: Any) -> Any:
    """The items of a generator, a line of JSON each."""
    stream = stub.Iterate(metadata=metadata)
    request = pb.IterateRequest(iterator_id=answer.payload.decode()[1:])
    while True:
        await stream.write(request)
        done, kind = await whole(stream)
        if kind == pb.STOP:
            return
        if kind == pb.ERROR:
            yield json.dumps({"error": described(done)}) + "\n"
            return
        yield json.dumps(codec.to_json(codec.loads(done))) + "\n"
        request = pb.IterateRequest()


async def whole(stream: Any) -> tuple[bytes, int]:
    """One answer, put together from its parts."""
    parts: list[bytes] = []
    while True:
        part = await stream.read()
        if not isinstance(part, pb.Answer):
            raise WorkerDied("the replica ended before the last item")
        parts.append(part.payload)
        if not part.more:
            return b"".join(parts), part.kind


def respond(answer: pb.Answer) -> Response:
    if answer.kind == pb.VALUE:
        return Response(answer.payload, media_type="application/json")
    if answer.kind == pb.ERROR:
        error = json.loads(answer.payload)
        status = 404 if error["type"] == "AttributeError" else 422 if error["type"] == "TypeError" else 500
        return error_response(status, error["type"], error["message"], {"traceback": error["traceback"]})
    return error_response(405, "NotCallable", "that is not a method")


def described(payload: bytes) -> dict[str, Any]:
    """A failure, as JSON."""
    error = failure.decode_failure(payload)
    return {
        "type": type(error).__name__,
        "message": str(error),
        "details": {"traceback": getattr(error, "remote_traceback", "")},
    }


async def body(request: Request) -> bytes:
    """The body, bounded.

    Raises:
        ValueError: it is too large.
    """
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > BODY_LIMIT:
            raise ValueError(f"the body is over {BODY_LIMIT >> 20} MiB; use the Python client for large values")
    return bytes(data)
