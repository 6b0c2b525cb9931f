"""The worker itself: is it there, is it ready, what is it, how does it fare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.json_format import MessageToDict
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from operator_lib.worker.control.deployments import Deployments
from operator_lib.worker.http.endpoint import Answer, Endpoint, Json
from operator_lib.worker.http.errors import Refusal

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

_PLAIN = "text/plain; charset=utf-8"


async def healthz(worker: Worker, request: Request, query: Json) -> Response:
    return PlainTextResponse("ok\n")


async def readyz(worker: Worker, request: Request, query: Json) -> Response:
    if not worker.runs.queue.accepting:
        raise Refusal(503, "NotReady", "the worker is stopping")
    return PlainTextResponse("ready\n")


async def info(worker: Worker, request: Request, query: Json) -> Response:
    found = await Deployments(worker).Info(None, None)
    return JSONResponse(
        MessageToDict(found, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    )


async def metrics(worker: Worker, request: Request, query: Json) -> Response:
    await worker.servings.refresh()
    return Response(await worker.metrics.text(), media_type=CONTENT_TYPE_LATEST)


def endpoints() -> list[Endpoint]:
    def get(path: str, handle: object, summary: str, answer: Answer, *, open: bool = False) -> Endpoint:
        return Endpoint("GET", path, handle, "worker", summary, (answer,), open=open)  # type: ignore[arg-type]

    return [
        get("/healthz", healthz, "The process is there.", Answer(200, "ok", None, _PLAIN), open=True),
        get("/readyz", readyz, "It takes work.", Answer(200, "ready", None, _PLAIN), open=True),
        get("/v1/worker", info, "Version, addresses, how much is going on.", Answer(200, "It.", {"type": "object"})),
        get("/metrics", metrics, "For Prometheus.", Answer(200, "Text format.", None, CONTENT_TYPE_LATEST)),
    ]
