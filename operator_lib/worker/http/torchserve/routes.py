"""The paths, with the parameters, statuses and bodies of TorchServe 0.12."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from operator_lib.worker.http.find import version_of
from operator_lib.worker.http.torchserve import answers
from operator_lib.worker.http.torchserve.answers import Refused
from operator_lib.worker.http.torchserve.predict import predict
from operator_lib.worker.http.torchserve.register import register
from operator_lib.worker.store.base import DeploymentRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"]
PAGE = 100
DESCRIBED = (
    "workflowName", "workflowUrl", "minWorkers", "maxWorkers", "batchSize", "maxBatchDelay", "workflowDag",
)  # fmt: skip
BODY_LIMIT = 1 << 20


def routes(worker: Worker) -> list[Route]:
    """They answer every method, as the original does: 405 has its shape."""

    def route(path: str, answer: Callable[[Worker, Request], Awaitable[Response]]) -> Route:
        async def guarded(request: Request) -> Response:
            try:
                return await answer(worker, request)
            except Refused as refused:
                return answers.error(refused.code, refused.kind, str(refused))

        return Route(path, guarded, methods=METHODS)

    return [
        route("/workflows", _workflows),
        route("/workflows/{name}", _workflow),
        route("/workflows/{name}/{rest:path}", _workflow),
        route("/wfpredict", _nothing),
        route("/wfpredict/", _nothing),
        route("/wfpredict/{name}", _predict),
        route("/wfpredict/{name}/{rest:path}", _predict),
    ]


async def _workflows(worker: Worker, request: Request) -> Response:
    if request.method == "GET":
        return _listed(worker, request)
    if request.method != "POST":
        return answers.not_allowed()
    given = await _parameters(request)
    if not given.get("url"):
        raise Refused(400, "BadRequestException", "Parameter url is required.")
    name = await register(worker, str(given["url"]), str(given.get("workflow_name") or ""))
    return answers.shown({"status": f"Workflow {name} has been registered and scaled successfully."})


async def _parameters(request: Request) -> dict[str, Any]:
    """Of the query, or of a JSON body."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        return dict(request.query_params)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise Refused(413, "BadRequestException", f"The body is over {BODY_LIMIT} bytes.")
    try:
        found: Any = json.loads(body or b"{}")
    except (ValueError, RecursionError) as problem:
        raise Refused(400, "JsonSyntaxException", f"The body is not JSON: {problem}") from None
    if not isinstance(found, dict):
        raise Refused(400, "JsonSyntaxException", "The body must be a JSON object.")
    return {**dict(request.query_params), **found}


async def _workflow(worker: Worker, request: Request) -> Response:
    if request.method not in ("GET", "DELETE", "PUT"):
        return answers.not_allowed()
    exact = worker.config.compat == "exact"
    if request.method == "PUT":
        given = await _parameters(request)
        if exact or not given.get("url"):
            return answers.not_allowed()
        row, _ = find(worker, request.path_params["name"])
        name = await register(worker, str(given["url"]), row.name, update=True)
        return answers.shown({"status": f"Workflow {name} has been updated."})
    row, said = find(worker, request.path_params["name"])
    if request.method == "DELETE":
        await worker.deploys.delete(row.name, "serving")
        return answers.shown({"status": f'Workflow "{row.name}" unregistered'})
    return answers.shown([{key: said[key] for key in DESCRIBED}])


async def _nothing(worker: Worker, request: Request) -> Response:
    message = "Requested resource is not found, please refer to API document."
    raise Refused(404, "ResourceNotFoundException", message)


async def _predict(worker: Worker, request: Request) -> Response:
    row, _ = find(worker, request.path_params["name"])
    return await predict(worker, row, request)


def find(worker: Worker, name: str) -> tuple[DeploymentRow, dict[str, Any]]:
    """A workflow, and what is told of it. Raises Refused."""
    row = worker.store.deployment(name=name, kind="serving")
    said = _said(worker, row) if row is not None and row.live_version else None
    if row is None or said is None:
        raise answers.not_found(name)
    return row, said


def _said(worker: Worker, row: DeploymentRow) -> dict[str, Any] | None:
    found: dict[str, Any] = json.loads(version_of(worker, row).schema_json or "{}")
    return found.get("torchserve")


def _listed(worker: Worker, request: Request) -> Response:
    rows = [row for row in worker.store.deployments(kind="serving") if row.live_version]
    known = [said for row in rows if (said := _said(worker, row)) is not None]
    known.sort(key=lambda said: said["workflowName"])
    limit, start = _number(request, "limit", PAGE), max(0, _number(request, "next_page_token", 0))
    if not 0 <= limit <= PAGE:
        limit = PAGE
    page = [{key: said[key] for key in ("workflowName", "workflowUrl")} for said in known[start : start + limit]]
    more = {"nextPageToken": str(start + limit)} if start + limit <= len(known) else {}
    return answers.shown({**more, "workflows": page})


def _number(request: Request, name: str, default: int) -> int:
    try:
        return int(request.query_params.get(name, default))
    except ValueError:
        return default
