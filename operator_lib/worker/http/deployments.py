"""Jobs, graphs and servings: what there is, its versions, its graph, its schema."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from operator_lib.errors import NotFound
from operator_lib.trace.dag import DAG
from operator_lib.worker.http.endpoint import Answer, Endpoint, Handler, Json, Parameter
from operator_lib.worker.http.find import asked, find, methods
from operator_lib.worker.http.shown import deployment_state, listing, ref, version_state
from operator_lib.worker.store.base import VersionRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

VERSION = Parameter(
    "version", {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}, "A version; the live one by default."
)
DAG_SCHEMA: Json = {"type": "object", "description": "See operator_lib.DAG.to_json."}
SVG = "image/svg+xml"


def endpoints(kind: str, plural: str) -> list[Endpoint]:
    """The rows of one kind of deployment. A graph is a job whose operator is one."""

    async def everything(worker: Worker, request: Request, query: Json) -> Response:
        rows = await worker.store.deployments(kind=kind)
        if plural == "graphs":
            rows = [row for row in rows if _declared(await worker.store.version(row.id, row.live_version))]
        return JSONResponse({plural: [await deployment_state(worker, row) for row in rows]})

    async def one(worker: Worker, request: Request, query: Json) -> Response:
        row = await find(worker, request.path_params["name"], kind)
        return JSONResponse(await deployment_state(worker, row))

    async def versions(worker: Worker, request: Request, query: Json) -> Response:
        row = await find(worker, request.path_params["name"], kind)
        return JSONResponse({"versions": [version_state(v) for v in await worker.store.versions(row.id)]})

    async def dag(worker: Worker, request: Request, query: Json) -> Response:
        _, version = await asked(worker, request, query, kind)
        return Response(graph_of(version), media_type="application/json")

    async def svg(worker: Worker, request: Request, query: Json) -> Response:
        _, version = await asked(worker, request, query, kind)
        return await picture(DAG.from_json(graph_of(version)))

    async def schema(worker: Worker, request: Request, query: Json) -> Response:
        _, version = await asked(worker, request, query, kind)
        return JSONResponse(schema_of(version))

    path = f"/v1/{plural}"
    history = Answer(200, "Oldest first.", listing("versions", "Version"))

    def get(end: str, handle: Handler, summary: str, *answers: Answer, version: bool = False) -> Endpoint:
        errors = (404,) if end else ()
        return Endpoint("GET", path + end, handle, plural, summary, answers, (VERSION,) if version else (), errors)

    rows = [get("", everything, f"All {plural}.", Answer(200, "By name.", listing(plural, "Deployment")))]
    if kind == "job":  # a serving's is its latch
        rows.append(get("/{name}", one, f"One {kind}.", Answer(200, "How it fares.", ref("Deployment"))))
    return [
        *rows,
        get("/{name}/versions", versions, "Its versions.", history),
        get("/{name}/dag", dag, "Its static graph.", Answer(200, "Nodes and edges.", DAG_SCHEMA), version=True),
        get("/{name}/dag.svg", svg, "A picture of its graph.", Answer(200, "SVG.", None, SVG), version=True),
        get(
            "/{name}/schema",
            schema,
            "What can be called, with JSON Schemas of arguments and results.",
            Answer(200, "By method; the empty name is the object itself.", {"type": "object"}),
            version=True,
        ),
    ]


def _declared(version: VersionRow | None) -> bool:
    """Whether what is deployed is a `Graph`."""
    return version is not None and bool(json.loads(version.schema_json or "{}").get("graph"))


def graph_of(version: VersionRow) -> str:
    """The stored graph. Raises NotFound."""
    if version.dag_json in ("", "{}"):
        raise NotFound("it was deployed without a graph")
    return version.dag_json


async def picture(dag: DAG) -> Response:
    """Drawn aside: a large graph takes a while."""
    return Response(await asyncio.to_thread(dag.to_svg), media_type=SVG)


def schema_of(version: VersionRow) -> dict[str, Any]:
    """What can be called, as the deployer's signatures and as JSON Schema."""
    stored: dict[str, Any] = json.loads(version.schema_json or "{}")
    for name, arguments in methods(version).items():
        method = stored["methods"][name]
        method["input_schema"] = arguments.body()
        method["output_schema"] = method.get("returns_schema", {})
    return stored
