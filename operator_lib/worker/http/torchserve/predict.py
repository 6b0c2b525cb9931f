"""``/wfpredict/NAME``: the body to a replica, its answer back."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from operator_lib.errors import OperatorError
from operator_lib.wire.proto.line_pb2 import Asked, Told
from operator_lib.worker.http.calling import pass_on
from operator_lib.worker.http.errors import status_of
from operator_lib.worker.http.exchange import Exchange
from operator_lib.worker.http.torchserve import answers
from operator_lib.worker.store.base import DeploymentRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Bytes of a body, as the original has it.
LARGEST = 6_553_500


async def predict(worker: Worker, row: DeploymentRow, request: Request) -> Response:
    started = time.monotonic()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            return Response(b"", 413, {**answers.headers(), "connection": "close"})
    asked = {
        "body": base64.b64encode(body).decode(),
        "headers": {name.title(): value for name, value in request.headers.items() if name != "authorization"},
        "exact": worker.config.compat == "exact",
    }
    found: dict[str, Any] = {}

    async def answered(told: Told, exchange: Exchange, died: Any) -> None:
        found.update(json.loads(await exchange.whole(told)))
        if told.tell == Told.FAILED:
            found["error"] = {"type": found["type"], "message": found["message"]}

    start = Asked(name="respond", payload=json.dumps({"request": asked}).encode())
    serving = worker.servings.get(row.name)
    try:
        await pass_on(worker, serving, row.name, start, request.receive, 0.0, answered)
    except OperatorError as problem:
        return answers.error(status_of(problem), type(problem).__name__, str(problem))
    response = _response(found)
    worker.metrics.called(row.name, "", response.status_code, time.monotonic() - started)
    return response


def _response(found: dict[str, Any]) -> Response:
    error = found.get("error")
    if error is not None:
        return answers.error(found.get("status", 500), error["type"], error["message"])
    headers = {**answers.headers(), **found["headers"]}
    return Response(base64.b64decode(found["body"]), found["status"], headers)
