"""Calls of a serving with plain JSON: an object is keyword arguments, anything else the first argument."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import grpc
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from operator_lib.errors import ENDS, NotFound, NotReady, OperatorTimeout, WorkerDied
from operator_lib.wire import codec, failure
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.wire.proto import serving_pb2_grpc as rpc
from operator_lib.worker.http import deployments
from operator_lib.worker.http.arguments import Arguments
from operator_lib.worker.http.body import read_json
from operator_lib.worker.http.endpoint import Answer, Endpoint, Json
from operator_lib.worker.http.errors import error_response
from operator_lib.worker.http.find import find, methods, version_of
from operator_lib.worker.http.shown import deployment_state, version_state
from operator_lib.worker.replicas import Replica
from operator_lib.worker.store.base import DeploymentRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Seconds to wait for a replica.
WAIT = 30.0
# How often a call is sent to another replica because the one asked was about to go.
TRIES = 3
# Seconds until it is known that a process has ended whose connection was lost.
DYING = 2.0
LINES = "application/x-ndjson"


async def latch(worker: Worker, request: Request, query: Json) -> Response:
    """What `Operator.from_serving` needs to know."""
    row = find(worker, request.path_params["name"], "serving")
    more = {
        "grpc_address": worker.endpoint.grpc_address,
        "schema": json.loads(version_of(worker, row).schema_json or "{}"),
        "versions": [version_state(v) for v in worker.store.versions(row.id)],
    }
    return JSONResponse({**deployment_state(worker, row), **more})


async def call(worker: Worker, request: Request, query: Json) -> Response:
    """Pass a call on to a replica, its answer back."""
    started = time.monotonic()
    row, name = find(worker, request.path_params["name"], "serving"), request.path_params.get("method", "")
    known = methods(worker.servings.get(row.name).version or version_of(worker, row))
    value, text = await read_json(request)
    if name in known:
        known[name].check(value)
    elif not name:
        raise NotFound(f"{row.name} cannot be called itself; its methods: {_names(known)}")
    response = await _pass_on(worker, row, name, text, known)
    worker.metrics.called(row.name, name if name in known else "", response.status_code, time.monotonic() - started)
    return response


async def _pass_on(
    worker: Worker, row: DeploymentRow, name: str, text: bytes, known: Mapping[str, Arguments]
) -> Response:
    asked = pb.Call(id=1, verb=pb.CALL, name=name, payload=text, json=True)
    refused_so_often = 0
    while refused_so_often < TRIES:
        replica = (await worker.servings.get(row.name).connect(WAIT, set()))[0]
        session = secrets.randbits(63) | 1
        metadata = (("authorization", f"Bearer {replica.token}"), ("session", str(session)))
        stub: Any = rpc.CallsStub(worker.channel(replica.address))
        try:
            answer = await stub.Invoke(asked, metadata=metadata)
        except grpc.RpcError as refused:
            error: Any = refused
            if error.code() == grpc.StatusCode.UNAVAILABLE and await _gone(replica):
                if session in (started := worker.launcher.ledger(replica)) and not started[session].call:
                    continue  # it waited for its turn
                raise _ended(replica, row.name, session) from None
            raise NotReady(f"{row.name} did not answer: {error.details()}") from None
        if answer.kind == pb.ITERATOR:
            lost = functools.partial(_lost, replica, row.name, session)
            return StreamingResponse(_items(stub, answer, metadata, lost), media_type=LINES)
        if answer.kind != pb.REFUSED:
            return _respond(answer, row.name, name, known)
        refused_so_often += 1
    raise NotReady(f"{row.name} is changing its version; try again")


async def _gone(replica: Replica) -> bool:
    """Whether its process has ended, which is known a little later than its connection is lost."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(replica.gone.wait(), DYING)
    return replica.status == "dead"


def _ended(replica: Replica, name: str, session: int) -> Exception:
    """What became of a call that it had started."""
    kind, cause = replica.fate(session, 1)
    if kind == "timeout":
        return OperatorTimeout(f"call of {name}: {cause}")
    return ENDS.get(kind, WorkerDied)(f"the replica of {name} ended before it answered: {cause}")


async def _lost(replica: Replica, name: str, session: int) -> Exception:
    """Why a stream of items ended before the last one."""
    if await _gone(replica):
        return _ended(replica, name, session)
    return WorkerDied("the replica ended the stream before the last item")


async def _items(
    stub: Any, answer: pb.Answer, metadata: Any, lost: Callable[[], Awaitable[Exception]]
) -> AsyncGenerator[bytes]:
    """The items of a generator, a line of JSON each. It runs no further than its reader, and ends with it."""
    stream = stub.Iterate(metadata=metadata)
    request = pb.IterateRequest(iterator_id=answer.payload.decode()[1:])
    try:
        while True:
            await stream.write(request)
            try:
                item, kind = await _whole(stream)
            except EOFError:
                seen = await lost()
                yield json.dumps({"error": _shown(seen)}).encode() + b"\n"
                return
            if kind == pb.STOP:
                return
            if kind == pb.ERROR:
                yield json.dumps({"error": _described(item)}).encode() + b"\n"
                return
            yield json.dumps(codec.to_json(codec.loads(item))).encode() + b"\n"
            request = pb.IterateRequest()
    finally:
        stream.cancel()


async def _whole(stream: Any) -> tuple[bytes, int]:
    """One answer, put together from its parts. Raises EOFError when the replica is gone."""
    parts: list[bytes] = []
    while True:
        try:
            part = await stream.read()
        except grpc.RpcError:
            raise EOFError from None
        if not isinstance(part, pb.Answer):
            raise EOFError
        parts.append(part.payload)
        if not part.more:
            return b"".join(parts), part.kind


def _respond(answer: pb.Answer, serving: str, name: str, known: Mapping[str, Arguments]) -> Response:
    if answer.kind == pb.VALUE:
        return Response(answer.payload, media_type="application/json")
    if answer.kind == pb.ERROR:
        error = json.loads(answer.payload)
        if error["type"] == "AttributeError" and name not in known:
            message = f"{serving} has no method {name!r}; its methods: {_names(known)}"
            return error_response(404, "NotFound", message)
        status = {"TypeError": 422, "RequestError": 400, "OperatorTimeout": 504}.get(error["type"], 500)
        return error_response(status, error["type"], error["message"], {"traceback": error["traceback"]})
    return error_response(404, "NotFound", f"{name!r} of {serving} is not a method; its methods: {_names(known)}")


def _names(known: Mapping[str, Arguments]) -> str:
    return ", ".join(name or "(the object itself)" for name in known) or "none"


def _described(payload: bytes) -> dict[str, Any]:
    """A failure, as JSON."""
    return _shown(failure.decode_failure(payload))


def _shown(error: Exception) -> dict[str, Any]:
    details = {"traceback": getattr(error, "remote_traceback", "")}
    return {"type": type(error).__name__, "message": str(error), "details": details}


def endpoints() -> list[Endpoint]:
    anything: Json = {"description": "An object: keyword arguments; anything else: the first argument."}
    answers = (
        Answer(200, "The value.", {}),
        Answer(200, "A generator: a line of JSON an item; what it raises is a last line with `error`.", None, LINES),
    )
    errors = (400, 404, 413, 415, 422, 500, 504)

    def post(end: str, summary: str, kind: str = "") -> Endpoint:
        path = "/v1/servings/{name}" + end
        return Endpoint("POST", path, call, "servings", summary, answers, (), errors, anything, kind)

    described = Answer(200, "Its signatures, versions, replicas, and where it speaks gRPC.", {"type": "object"})

    def get(end: str) -> Endpoint:
        return Endpoint("GET", "/v1/servings/{name}" + end, latch, "servings", "One serving.", (described,), (), (404,))

    return [
        *deployments.endpoints("serving", "servings"),
        get("/"),
        get(""),
        post("/", "Call the object itself."),
        post("", "Call the object itself.", "serving"),
        post("/{method}", "Call a method.", "serving"),
    ]
