"""All routes of the worker, in the order in which they are looked through."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from operator_lib.worker.http import (
    changes,
    decided,
    deployments,
    events,
    files,
    jobs,
    kept,
    live,
    loads,
    openapi,
    overview,
    pictures,
    runs,
    servings,
    status,
    told,
    torchserve,
)
from operator_lib.worker.http.endpoint import Answer, Endpoint, Json
from operator_lib.worker.http.find import find, version_of

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

_OPENAPI = Answer(200, "OpenAPI 3.1.", {"type": "object"})


async def document(worker: Worker, request: Request, query: Json) -> Response:
    return JSONResponse(await openapi.document(worker, (*table(), *torchserve.endpoints())))


async def serving_document(worker: Worker, request: Request, query: Json) -> Response:
    row = await find(worker, request.path_params["name"], "serving")
    return JSONResponse(openapi.serving_document(worker, table(), row, await version_of(worker, row)))


@cache
def table() -> tuple[Endpoint, ...]:
    """Every row once."""
    return (
        *status.endpoints(),
        *kept.endpoints(),
        *files.endpoints(),
        Endpoint("GET", "/openapi.json", document, "worker", "This document.", (_OPENAPI,)),
        Endpoint(
            "GET", "/v1/servings/{name}/openapi.json", serving_document, "servings", "The document of one serving.",
            (_OPENAPI,), errors=(404,),
        ),
        *overview.endpoints(),
        *changes.endpoints(),
        *pictures.endpoints(),
        *loads.endpoints(),
        *runs.endpoints(),
        *told.endpoints(),
        *decided.endpoints(),
        *events.endpoints(),
        *live.endpoints(),
        *(row for plural in ("jobs", "graphs") for row in deployments.endpoints("job", plural)),
        *(row for plural in ("jobs", "graphs") for row in jobs.endpoints(plural)),
        *servings.endpoints(),
    )  # fmt: skip
