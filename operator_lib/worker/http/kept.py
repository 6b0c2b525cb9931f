"""What a worker keeps besides deployments and runs: secrets by name, and schedules.

To look at: they are changed over gRPC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from operator_lib.worker.http.endpoint import Answer, Endpoint, Json
from operator_lib.worker.http.shown import listing, schedule_state, secret_state

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker


async def secrets(worker: Worker, request: Request, query: Json) -> Response:
    return JSONResponse({"secrets": [secret_state(row) for row in await worker.secrets.names()]})


async def schedules(worker: Worker, request: Request, query: Json) -> Response:
    return JSONResponse({"schedules": [schedule_state(worker, row) for row in await worker.schedules.listed()]})


def endpoints() -> list[Endpoint]:
    """``GET /v1/secrets`` and ``GET /v1/schedules``."""
    names = Answer(200, "By name.", listing("secrets", "Secret"))
    times = Answer(200, "The oldest first.", listing("schedules", "Schedule"))
    return [
        Endpoint("GET", "/v1/secrets", secrets, "worker", "Names and dates of secrets, never values.", (names,)),
        Endpoint("GET", "/v1/schedules", schedules, "worker", "When jobs start by themselves.", (times,)),
    ]
