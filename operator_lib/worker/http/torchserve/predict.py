"""``/wfpredict/NAME``: the body to a replica, its answer back. Its own ASGI application, as other calls are."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from operator_lib.errors import OperatorError
from operator_lib.wire.proto.line_pb2 import Asked, Told
from operator_lib.worker.http.calling import pass_on
from operator_lib.worker.http.errors import CallerGone, status_of, when_again
from operator_lib.worker.http.exchange import Exchange
from operator_lib.worker.http.head import Head
from operator_lib.worker.http.line import LineLost
from operator_lib.worker.http.torchserve import answers
from operator_lib.worker.http.torchserve.answers import Refused
from operator_lib.worker.http.torchserve.known import serving
from operator_lib.worker.serving import Serving

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

PREFIX = "/wfpredict/"
# Bytes of a body, as the original has it.
LARGEST = 6_553_500


class Predict:
    """One request; answers errors too."""

    def __init__(self, worker: Worker, name: str, version: str = "") -> None:
        """`version`: what stands behind the name; a number is one of a version."""
        self.worker = worker
        self.name = name
        self.exact = worker.config.compat == "exact"
        self.version = int(version) if version.isdecimal() and len(version) < 10 and not self.exact else 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        started = time.monotonic()
        name = ""
        response: Response | None = None
        try:
            target = await serving(self.worker, self.name, self.version)
            name = self.name
            self.worker.lines.enter(name)
            try:
                response = await self._answer(target, scope, receive)
            finally:
                self.worker.lines.leave(name)
        except CallerGone:
            pass
        except Refused as refused:
            response = answers.error(refused.code, refused.kind, refused.message)
        except OperatorError as problem:
            response = answers.error(status_of(problem), type(problem).__name__, str(problem))
            response.headers.update(when_again(problem) or {})
        status = response.status_code if response is not None else 499
        if name:
            self.worker.metrics.called(name, "", status, time.monotonic() - started)
        if response is not None:
            await response(scope, receive, send)

    async def _answer(self, target: Serving, scope: Any, receive: Any) -> Response:
        body = await _body(receive)
        if body is None:
            return Response(b"", 413, {**answers.HEADERS, "connection": "close"})
        asked = {
            "body": base64.b64encode(body).decode(),
            "headers": {
                name.decode("latin-1").title(): value.decode("latin-1")
                for name, value in scope["headers"]
                if name != b"authorization"
            },
            "exact": self.exact,
        }
        found: dict[str, Any] = {}

        async def answered(told: Told, exchange: Exchange, died: Any) -> None:
            try:
                found.update(json.loads(await exchange.whole(told)))
            except LineLost:
                raise await died() from None
            if told.tell == Told.FAILED:
                found["error"] = {"type": found["type"], "message": found["message"]}

        head: Head = scope["head"]
        start = Asked(name="respond", request_id=head.request_id.decode("latin-1"), traceparent=head.traceparent)
        start.payload = json.dumps({"request": asked}).encode()
        await pass_on(self.worker, target, self.name, start, receive, 0.0, answered)
        error = found.get("error")
        if error is not None:
            return answers.error(found.get("status", 500), error["type"], error["message"])
        return Response(base64.b64decode(found["body"]), found["status"], {**answers.HEADERS, **found["headers"]})


async def _body(receive: Any) -> bytearray | None:
    """The whole of it; None: it is too large. Raises CallerGone."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerGone
        body += message.get("body", b"")
        if len(body) > LARGEST:
            return None
        if not message.get("more_body"):
            return body


def predict_of(worker: Worker, path: str) -> Predict | None:
    """What answers at a path below ``/wfpredict/``; None where there is nothing."""
    if path[: len(PREFIX)].lower() != PREFIX:  # as the original has it
        return None
    name, _, rest = path[len(PREFIX) :].partition("/")
    return Predict(worker, name, rest.partition("/")[0]) if name else None
