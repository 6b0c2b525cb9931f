"""What else is known of a run: the arguments it was given, and its attempts."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from operator_lib.errors import NotFound, SerializationError
from operator_lib.wire import codec, frames
from operator_lib.worker.http.endpoint import Answer, Endpoint, Json
from operator_lib.worker.http.errors import Refusal
from operator_lib.worker.store.base import RunRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Bytes of arguments that are made into JSON.
LIMIT = 1 << 20


async def arguments(worker: Worker, request: Request, query: Json) -> Response:
    row = await worker.runs.row(request.path_params["id"])
    return JSONResponse(await worker.blobs.aside(_arguments, worker, row))


def _arguments(worker: Worker, row: RunRow) -> Json:
    """``{"args", "kwargs"}``. Raises Refusal (406): they have no JSON form here. NotFound: a map has none."""
    if row.kind != "run":
        raise NotFound(f"run {row.id} is a map: each of its inputs is a call of its own")
    data = row.input_inline
    if data is None:
        try:
            path = worker.blobs.path(row.input_ref)
        except NotFound:
            raise NotFound(f"the arguments of run {row.id} are not there any more") from None
        if path.stat().st_size > LIMIT:
            raise _no_json(f"they have {path.stat().st_size} bytes")
        data = path.read_bytes()
    if not data.startswith(frames.MAGIC):
        body: Any = json.loads(data)
        return {"args": [], "kwargs": body} if isinstance(body, dict) else {"args": [body], "kwargs": {}}
    frame = frames.parse(data)
    if frame.codec != "json":
        raise _no_json(f"they were sent with input_encoder={frame.codec!r}, which the worker never opens")
    try:
        args, kwargs = codec.loads_call(data)
        return {"args": codec.to_json(list(args)), "kwargs": codec.to_json(kwargs)}
    except SerializationError as problem:
        raise _no_json(str(problem)) from None


def _no_json(why: str) -> Refusal:
    return Refusal(406, "NotAcceptable", f"the arguments have no JSON form: {why}")


async def attempts(worker: Worker, request: Request, query: Json) -> Response:
    row = await worker.runs.row(request.path_params["id"])
    told = [asdict(attempt) for attempt in await worker.store.attempts(row.id)]
    hidden = ("run_id", "lease")
    return JSONResponse({"attempts": [{k: v for k, v in each.items() if k not in hidden} for each in told]})


def endpoints() -> list[Endpoint]:
    """``GET /v1/runs/{id}/input`` and ``/attempts``."""
    given = Answer(200, "`args`, a list, and `kwargs`.", {"type": "object"})
    tried = Answer(200, "The first first: start, end, cause, exit code, peak memory.", {"type": "object"})
    return [
        Endpoint("GET", "/v1/runs/{id}/input", arguments, "runs", "Its arguments.", (given,), (), (404, 406)),
        Endpoint("GET", "/v1/runs/{id}/attempts", attempts, "runs", "How often it was started.", (tried,), (), (404,)),
    ]
