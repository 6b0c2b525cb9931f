"""The paths, with the parameters, statuses and bodies of TorchServe 0.12."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from operator_lib.errors import OperatorError
from operator_lib.worker.http.errors import status_of
from operator_lib.worker.http.torchserve import answers
from operator_lib.worker.http.torchserve.answers import Refused
from operator_lib.worker.http.torchserve.deploying import turn
from operator_lib.worker.http.torchserve.known import find, said
from operator_lib.worker.http.torchserve.register import register
from operator_lib.worker.http.torchserve.scale import scale, settings_of
from operator_lib.worker.store.base import DeploymentRow, VersionRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]
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
                return answers.error(refused.code, refused.kind, refused.message)
            except OperatorError as problem:
                return answers.error(status_of(problem), type(problem).__name__, str(problem))

        return Route(path, guarded, methods=METHODS)

    return [
        route("/workflows", _workflows),
        route("/workflows/{name}", _workflow),
        route("/workflows/{name}/{rest:path}", _workflow),
        route("/wfpredict", _nothing),
        route("/wfpredict/", _nothing),
    ]


async def _workflows(worker: Worker, request: Request) -> Response:
    if request.method in ("GET", "HEAD"):
        return _listed(worker, request)
    if request.method != "POST":
        return answers.no_such_method(request.method, "GET, HEAD, POST")
    given = await _parameters(worker, request)
    if not given.get("url"):
        raise Refused(400, "BadRequestException", "Parameter url is required.")
    named = str(given.get("workflow_name") or "")
    name = await register(worker, str(given["url"]), named, patience=_seconds(given))
    return answers.shown({"status": f"Workflow {name} has been registered and scaled successfully."})


async def _parameters(worker: Worker, request: Request) -> dict[str, Any]:
    """Of the query, or of a JSON body."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        return dict(request.query_params)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise Refused(413, "BadRequestException", f"The body is over {BODY_LIMIT} bytes.")
    code = 500 if worker.config.compat == "exact" else 400
    try:
        found: Any = json.loads(body or b"{}")
    except (ValueError, RecursionError) as problem:
        raise Refused(code, "JsonSyntaxException", f"The body is not JSON: {problem}") from None
    if not isinstance(found, dict):
        raise Refused(code, "JsonSyntaxException", "The body must be a JSON object.")
    return {**dict(request.query_params), **found}


async def _workflow(worker: Worker, request: Request) -> Response:
    name = request.path_params["name"]
    rest = (
        () if worker.config.compat == "exact" else tuple(filter(None, request.path_params.get("rest", "").split("/")))
    )
    if request.method == "PUT" and worker.config.compat != "exact":
        return await _changed(worker, name, rest, await _parameters(worker, request))
    allowed = "PUT" if len(rest) == 2 else "GET, HEAD" if rest else "GET, HEAD, PUT, DELETE"
    if request.method not in ("GET", "HEAD", "DELETE") or request.method not in allowed:
        return answers.no_such_method(request.method, allowed)
    if request.method == "DELETE":
        async with turn(worker, name):
            row, _ = find(worker, name)
            await worker.deploys.delete(row.name, "serving")
        return answers.shown({"status": f'Workflow "{row.name}" unregistered'})
    row, version = find(worker, name)
    if rest == ("all",):
        versions = await worker.store.versions(row.id)
        return answers.shown([_in_full(version, one) for one in versions if one.status == "ready"])
    if rest and rest[0].isdecimal():
        version = await _version(worker, row, rest[0])
    about = said(version) or {}
    return answers.shown([{key: about[key] for key in DESCRIBED}])


async def _changed(worker: Worker, name: str, rest: tuple[str, ...], given: dict[str, Any]) -> Response:
    """A new archive, other settings, or another version by default."""
    row, _ = find(worker, name)
    if len(rest) == 2 and rest[0].isdecimal() and rest[1] == "set-default":
        async with turn(worker, name):
            row, _ = find(worker, name)
            number = (await _version(worker, row, rest[0])).number
            await worker.deploys.rollback(row.name, number, "serving")
        text = f'Default version successfully updated for workflow "{row.name}" to "{number}"'
        return answers.shown({"status": text})
    if given.get("url") and not rest:
        await register(worker, str(given["url"]), row.name, update=True, patience=_seconds(given))
        return answers.shown({"status": f"Workflow {row.name} has been updated."})
    wanted = settings_of(given)
    if not wanted or rest:
        return answers.no_such_method("PUT", "GET, HEAD, DELETE")
    node = str(given.get("node") or "")
    await scale(worker, row.name, node, wanted)
    return answers.shown({"status": f"Workflow {row.name} has been scaled."})


async def _version(worker: Worker, row: DeploymentRow, number: str) -> VersionRow:
    """One that has worked. Raises Refused."""
    found = await worker.store.version(row.id, int(number)) if len(number) < 10 else None
    if found is None or found.status != "ready" or said(found) is None:
        raise answers.no_version(row.name, int(number))
    return found


def _in_full(live: VersionRow, version: VersionRow) -> dict[str, Any]:
    about = said(version) or {}
    own = {"workflowVersion": str(version.number), "default": version.number == live.number}
    return {**{key: about.get(key) for key in DESCRIBED}, **own, "nodes": about.get("nodes")}


def _seconds(given: dict[str, Any]) -> float:
    """How long processes may take to start, of the parameter ``startup_timeout``."""
    text = str(given.get("startup_timeout") or 0)
    if not text.isdecimal():
        raise Refused(400, "BadRequestException", f"startup_timeout must be a whole number of seconds, got {text}")
    return float(text)


async def _nothing(worker: Worker, request: Request) -> Response:
    message = "Requested resource is not found, please refer to API document."
    raise Refused(404, "ResourceNotFoundException", message)


def _listed(worker: Worker, request: Request) -> Response:
    live = [serving.version for serving in worker.servings.by_name.values() if serving.version and not serving.closed]
    known = sorted((about for version in live if (about := said(version))), key=lambda about: about["workflowName"])
    limit, start = _number(request, "limit", PAGE), max(0, _number(request, "next_page_token", 0))
    if not 0 <= limit <= PAGE:
        limit = PAGE
    page = [{key: about[key] for key in ("workflowName", "workflowUrl")} for about in known[start : start + limit]]
    more = {"nextPageToken": str(start + limit)} if start + limit <= len(known) else {}
    return answers.shown({**more, "workflows": page})


def _number(request: Request, name: str, default: int) -> int:
    try:
        return int(request.query_params.get(name, default))
    except ValueError:
        return default
