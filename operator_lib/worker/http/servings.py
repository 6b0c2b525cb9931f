"""Calls of a serving with JSON, forms and raw bytes; what it is; a page to try it in a browser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from operator_lib.worker.http import deployments
from operator_lib.worker.http.answering import EVENTS, LINES
from operator_lib.worker.http.calling import Call
from operator_lib.worker.http.endpoint import Answer, Endpoint, Json, Parameter
from operator_lib.worker.http.find import find, version_of
from operator_lib.worker.http.head import Head
from operator_lib.worker.http.shown import deployment_state, version_state

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

PREFIX = "/v1/servings/"
TIMEOUT = Parameter(
    "timeout",
    {"type": "number", "minimum": 0.001, "maximum": 3600},
    "Seconds after which the caller does not wait any more: the answer is 504, and the call is told to end.",
)
ACCEPT_STREAM = (LINES, EVENTS)


async def latch(worker: Worker, request: Request, query: Json) -> Response:
    """What `Operator.from_serving` needs to know."""
    row = await find(worker, request.path_params["name"], "serving")
    more = {
        "grpc_address": worker.grpc_address,
        "schema": json.loads((await version_of(worker, row, query.get("version", 0))).schema_json or "{}"),
        "versions": [version_state(v) for v in await worker.store.versions(row.id)],
    }
    return JSONResponse({**await deployment_state(worker, row), **more})


async def called(worker: Worker, request: Request, query: Json) -> Response:
    """Calls do not come by here: see `call_of`."""
    raise RuntimeError(f"{request.url.path} was routed past its application")


def call_of(worker: Worker, head: Head) -> Call | None:
    """What answers a POST to a path below ``/v1/servings/``; None where there is nothing."""
    name, _, method = head.path[len(PREFIX) :].partition("/")
    return Call(worker, CALL, head, name, method) if name and "/" not in method else None


def _post(end: str, summary: str, kind: str = "") -> Endpoint:
    anything: Json = {"description": "An object: keyword arguments; anything else: the first argument."}
    answers = (
        Answer(200, "The value.", {}),
        Answer(200, "A generator: a line of JSON an item; what it raises is a last line with `error`.", None, LINES),
        Answer(200, "A generator: a message an item; the last one is an `end` or `error` event.", None, EVENTS),
    )
    errors = (400, 404, 408, 413, 415, 422, 429, 500, 504)
    path = "/v1/servings/{name}" + end
    return Endpoint(
        "POST", path, called, "servings", summary, answers, (TIMEOUT, deployments.VERSION), errors, anything, kind
    )


CALL = _post("", "Call the object itself.", "serving")


def endpoints() -> list[Endpoint]:
    described = Answer(200, "Its signatures, versions, replicas, and where it speaks gRPC.", {"type": "object"})

    def get(end: str) -> Endpoint:
        return Endpoint(
            "GET",
            "/v1/servings/{name}" + end,
            latch,
            "servings",
            "One serving.",
            (described,),
            (deployments.VERSION,),
            (404,),
        )

    return [
        *deployments.endpoints("serving", "servings"),
        get("/"),
        get(""),
        _post("/", "Call the object itself."),
        CALL,
        _post("/{method}", "Call a method.", "serving"),
    ]
