"""``GET /v1/runs/{id}/decisions``: why a run went the way it did."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from operator_lib import decisions
from operator_lib.decisions import Decision
from operator_lib.engine.events import from_lines
from operator_lib.worker import stories
from operator_lib.worker.http.endpoint import Answer, Endpoint, Json, Parameter

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

_LIMIT: Json = {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 500}


async def decided(worker: Worker, request: Request, query: Json) -> Response:
    row = await worker.runs.row(request.path_params["id"])
    kept: deque[Decision] = deque(maxlen=query.get("limit", 500))
    count = 0
    async for lines in stories.read(worker, row.id):
        found = await asyncio.to_thread(_read, lines)
        count += len(found)
        kept.extend(found)
    told = await asyncio.to_thread(lambda: [one.to_json() for one in kept])  # the source of each is read for that
    return JSONResponse({"decisions": told, "count": count})


def _read(lines: bytes) -> list[Decision]:
    return decisions.read(from_lines(lines)) if b'"decision"' in lines else []


def endpoints() -> list[Endpoint]:
    schema: Json = {
        "type": "object",
        "properties": {
            "decisions": {"type": "array", "items": {"type": "object"}},
            "count": {"type": "integer", "description": "How many there are in all."},
        },
    }
    summary = "Conditions, loops and handlers that a run came through, with their values."
    limit = Parameter("limit", _LIMIT, "At most so many, the last ones.")
    answer = Answer(200, "In order.", schema)
    return [Endpoint("GET", "/v1/runs/{id}/decisions", decided, "runs", summary, (answer,), (limit,), (400, 404))]
