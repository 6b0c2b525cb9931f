"""The worker's HTTP side: latching on to a serving by URL, calling it with JSON, and looking at what is there."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from operator_lib.errors import NotFound, NotReady, OperatorError
from operator_lib.worker.control.deployments import Deployments
from operator_lib.worker.control.runs import Runs
from operator_lib.worker.http.call import call_serving
from operator_lib.worker.http.guard import Guard, error_response, refuse

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Fields of a deployment that are JSON texts, or nobody's business here.
_TEXTS = ("schemaJson", "optionsJson", "dagJson")


def make_app(worker: Worker) -> Any:
    """The ASGI application."""
    deployments, runs = Deployments(worker), Runs(worker)

    def find(name: str, kind: str) -> Any:
        row = worker.store.deployment(name=name, kind=kind)
        if row is None or row.kind != kind or not row.live_version:
            raise NotFound(f"no {kind} {name!r} on this worker")
        return row

    def shown(row: Any) -> dict[str, Any]:
        found = MessageToDict(deployments.describe(row))
        texts = {key: found.pop(key, "") for key in _TEXTS}
        found.pop("token", None)
        found["options"] = json.loads(texts["optionsJson"] or "{}")
        return {re.sub(r"[A-Z]", lambda m: "_" + m[0].lower(), key): value for key, value in found.items()}

    async def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        return PlainTextResponse("ready\n") if worker.runs.accepting else PlainTextResponse("stopping\n", 503)

    async def info(request: Request) -> Response:
        return JSONResponse(MessageToDict(await deployments.Info(None, None), preserving_proto_field_name=True))

    async def latch(request: Request) -> Response:
        row = find(request.path_params["name"], "serving")
        return JSONResponse(
            {**shown(row), "grpc_address": worker.endpoint.grpc_address, "schema": _schema(worker, row)}
        )

    async def call(request: Request) -> Response:
        row = find(request.path_params["name"], "serving")
        return await call_serving(worker, row, request)

    async def listing(request: Request) -> Response:
        kind = request.path_params["kind"]
        if kind not in ("jobs", "servings"):
            raise NotFound(f"there is no {request.url.path}")
        return JSONResponse({kind: [shown(row) for row in worker.store.deployments(kind=kind[:-1])]})

    async def run(request: Request) -> Response:
        row = worker.runs.row(request.path_params["id"])
        if request.method == "DELETE":
            row = await worker.runs.cancel(row.id)
        state = MessageToDict(runs.state(row, inline=False), preserving_proto_field_name=True)
        state.get("failure", {}).pop("payload", None)
        return JSONResponse(state)

    async def dag(request: Request) -> Response:
        kind = request.path_params["kind"][:-1]
        row = find(request.path_params["name"], kind)
        version = worker.store.version(row.id, row.live_version)
        if version is None or not version.dag_json:
            raise NotReady(f"{row.name} was deployed without a graph")
        return Response(version.dag_json, media_type="application/json")

    routes = [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/v1/worker", info),
        Route("/v1/runs/{id}", run, methods=["GET", "DELETE"]),
        Route("/v1/servings/{name}/", latch),
        Route("/v1/servings/{name}/", call, methods=["POST"]),
        Route("/v1/servings/{name}", call, methods=["POST"]),
        Route("/v1/servings/{name}/{method}", call, methods=["POST"]),
        Route("/v1/{kind}/{name}/dag", dag),
        Route("/v1/{kind}", listing),
    ]
    handlers: dict[Any, Any] = {404: _missing, 405: _missing, Exception: _failed}
    handlers |= dict.fromkeys((OperatorError, ValueError, TypeError), _refused)
    app = Starlette(routes=routes, exception_handlers=handlers)
    return Guard(app, worker)


def _schema(worker: Worker, row: Any) -> Any:
    version = worker.store.version(row.id, row.live_version)
    return json.loads(version.schema_json or "{}") if version else {}


async def _refused(request: Request, error: Exception) -> Response:
    return refuse(error)


async def _missing(request: Request, error: Any) -> Response:
    return error_response(error.status_code, "NotFound", f"there is no {request.method} {request.url.path}")


async def _failed(request: Request, error: Exception) -> Response:
    return error_response(500, "InternalError", "internal error of the worker; see its log")
