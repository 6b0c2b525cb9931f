"""The ASGI application: the table of routes behind the guard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from operator_lib.worker.http import torchserve
from operator_lib.worker.http.endpoint import Endpoint
from operator_lib.worker.http.errors import error_response, refuse
from operator_lib.worker.http.guard import Guard
from operator_lib.worker.http.table import table

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Of everything below it somebody is about to read files of a run.
RUN = "/v1/runs/{id}"


def make_app(worker: Worker) -> Any:
    """The ASGI application."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for row in table():
        by_path.setdefault(row.path, {})[row.method] = row
    routes = [_route(worker, path, rows) for path, rows in by_path.items()]
    app = Starlette(routes=[*routes, *torchserve.routes(worker)], exception_handlers={404: _missing, 405: _missing})
    app.router.redirect_slashes = False
    return Guard(app, worker)


def _route(worker: Worker, path: str, rows: dict[str, Endpoint]) -> Route:
    async def answer(request: Request) -> Response:
        row = rows.get("GET" if request.method == "HEAD" else request.method)
        if row is None:  # OPTIONS
            return Response(status_code=204, headers={"Allow": allowed(request)})
        try:
            query = row.query(request)
            if path.startswith(RUN) and worker.storage is not None:
                await worker.runs.bring(await worker.runs.row(request.path_params["id"]))
            return await row.handle(worker, request, query)
        except Exception as error:
            return refuse(error)

    return Route(path, answer, methods=[*rows, "OPTIONS"])


def allowed(request: Request) -> str:
    """The methods of this path."""
    routes: list[Route] = request.app.routes
    fitting = (route for route in routes if route.matches(request.scope)[0] != Match.NONE)
    return ", ".join(sorted(next(fitting).methods or ()))


async def _missing(request: Request, error: Any) -> Response:
    if error.status_code == 404:
        return error_response(404, "NotFound", f"there is no {request.url.path}")
    allow = allowed(request)
    message = f"{request.url.path} does not take {request.method}, only {allow}"
    return error_response(405, "MethodNotAllowed", message, {"allow": allow.split(", ")}, {"Allow": allow})
