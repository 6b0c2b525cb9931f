"""Changing what is deployed: replicas, the live version, removal; and schedules. With the worker's token only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema_rs
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from operator_lib.errors import NotFound
from operator_lib.worker.http.body import read_json
from operator_lib.worker.http.complaints import complaints
from operator_lib.worker.http.endpoint import Answer, Endpoint, Json
from operator_lib.worker.http.errors import Refusal
from operator_lib.worker.http.find import find
from operator_lib.worker.http.shown import deployment_state, ref, schedule_state
from operator_lib.worker.store.base import DeploymentRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

PATH = "/v1/deployments/{kind}/{name}"
KINDS = ("job", "serving")
MOST = 256
"""Replicas that can be asked for here: a slip of the finger must not start thousands."""


class Body:
    """The schema of a request, and its check."""

    def __init__(self, **properties: Json) -> None:
        self.schema: Json = {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
        self._check = jsonschema_rs.Draft202012Validator(self.schema)

    async def read(self, request: Request) -> Json:
        """The values. Raises Refusal (400, 413, 415, 422)."""
        value, _ = await read_json(request.scope["head"], request.receive)
        problems = list(complaints(self._check.iter_errors(value), self.schema))
        if problems:
            raise Refusal(422, "ValidationError", str(problems[0]), [p.to_json() for p in problems])
        return value


REPLICAS = Body(replicas={"type": ["integer", "null"], "minimum": 0, "maximum": MOST})
VERSION = Body(version={"type": "integer", "minimum": 1, "maximum": 2**31 - 1})


async def named(worker: Worker, request: Request) -> DeploymentRow:
    """The deployment of the path. Raises NotFound."""
    kind = request.path_params["kind"]
    if kind not in KINDS:
        raise NotFound(f"there are deployments of the kinds {' and '.join(KINDS)}, not {kind!r:.80}")
    return await find(worker, request.path_params["name"], kind)


async def scale(worker: Worker, request: Request, query: Json) -> Response:
    row = await named(worker, request)
    if row.kind != "serving":
        raise Refusal(409, "Refused", f"{row.name} is a job: it has a process for each run, and no replicas")
    given = await REPLICAS.read(request)
    await worker.servings.get(row.name).scale(given["replicas"])
    return JSONResponse(await deployment_state(worker, row))


async def rollback(worker: Worker, request: Request, query: Json) -> Response:
    row = await named(worker, request)
    given = await VERSION.read(request)
    row = await worker.deploys.rollback(row.name, given["version"], row.kind)
    return JSONResponse(await deployment_state(worker, row))


async def delete(worker: Worker, request: Request, query: Json) -> Response:
    row = await named(worker, request)
    await worker.deploys.delete(row.name, row.kind)
    return Response(status_code=204)


async def pause(worker: Worker, request: Request, query: Json) -> Response:
    row = await worker.schedules.find(request.path_params["id"])
    await worker.schedules.pause(row)
    return await _schedule(worker, row.id)


async def resume(worker: Worker, request: Request, query: Json) -> Response:
    row = await worker.schedules.find(request.path_params["id"])
    await worker.schedules.resume(row)
    return await _schedule(worker, row.id)


async def _schedule(worker: Worker, id: str) -> Response:
    return JSONResponse(schedule_state(worker, await worker.schedules.find(id)))


def endpoints() -> list[Endpoint]:
    """All of them."""

    def post(path: str, handle: Any, tag: str, summary: str, shape: str, body: Body | None = None) -> Endpoint:
        errors = (404, 409, 413, 415, 422) if body else (404,)
        answer = Answer(200, "As it is now.", ref(shape))
        return Endpoint("POST", path, handle, tag, summary, (answer,), (), errors, body and body.schema)

    words = "So many replicas from now on; null: as many as its options say and its calls need."
    gone = Answer(204, "It is gone; runs in flight finish.", None, "")
    return [
        post(f"{PATH}/scale", scale, "deployments", words, "Deployment", REPLICAS),
        post(f"{PATH}/rollback", rollback, "deployments", "Make a version the live one.", "Deployment", VERSION),
        Endpoint("DELETE", PATH, delete, "deployments", "Remove it from the worker.", (gone,), (), (404,)),
        post("/v1/schedules/{id}/pause", pause, "worker", "Start no runs from it until it is resumed.", "Schedule"),
        post("/v1/schedules/{id}/resume", resume, "worker", "Go on; what was due is not made up for.", "Schedule"),
    ]
