"""Runs: listing, looking, results, cancelling, and the graph that a run lights up."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from operator_lib.engine.events import from_lines
from operator_lib.errors import NotFound
from operator_lib.trace.dag import DAG
from operator_lib.trace.overlay import overlay
from operator_lib.worker import resuming
from operator_lib.worker.http import results
from operator_lib.worker.http.body import read_json
from operator_lib.worker.http.deployments import DAG_SCHEMA, SVG, VERSION, graph_of, picture
from operator_lib.worker.http.endpoint import Answer, Endpoint, Json, Parameter
from operator_lib.worker.http.find import find, version_of
from operator_lib.worker.http.jobs import KEY, PATIENCE, TIMEOUT, WAIT, accepted, checked_run, ended, idempotency_key
from operator_lib.worker.http.shown import listing, ref, run_state
from operator_lib.worker.store.base import STATUSES, RunRow, VersionRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

_TEXT: Json = {"type": "string"}
JOB = Parameter("job", {**_TEXT, "minLength": 1}, "Only runs of this job.")
STATUS = Parameter("status", {**_TEXT, "enum": list(STATUSES)}, "Only runs in this status.")
FROM_NODE = Parameter(
    "from_node",
    {**_TEXT, "minLength": 1},
    "Path of an operator, or id of a node: it, and what began after it, runs again.",
)
TEXT = Parameter("text", {**_TEXT, "minLength": 1}, "Only runs with this in their id, job or cause.")
STATIC = Parameter("static", {"type": "boolean", "default": False}, "Without what the run has done.")
LIMIT = Parameter("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, "How many at most.")
CURSOR = Parameter("cursor", {**_TEXT, "minLength": 1}, "Go on after a page: its `next`.")


async def some(worker: Worker, request: Request, query: Json) -> Response:
    """A page of runs, the newest first."""
    limit, cursor = query.get("limit", 100), query.get("cursor")
    if cursor is not None and await worker.store.run(cursor) is None:
        raise NotFound(f"cursor: there is no run {cursor!r:.80} to go on after")
    rows = await worker.store.runs(query.get("job"), query.get("status"), limit + 1, cursor, query.get("text"))
    more = len(rows) > limit
    return JSONResponse(
        {"runs": [run_state(row) for row in rows[:limit]], "next": rows[limit - 1].id if more else None}
    )


async def _row(worker: Worker, request: Request) -> RunRow:
    return await worker.runs.row(request.path_params["id"])


async def one(worker: Worker, request: Request, query: Json) -> Response:
    row = await _row(worker, request)
    failed = row.terminal and row.status != "COMPLETED"
    return JSONResponse(
        {**run_state(row), "error": await asyncio.to_thread(results.error_of, worker, row) if failed else None}
    )


async def cancel(worker: Worker, request: Request, query: Json) -> Response:
    return JSONResponse(run_state(await worker.runs.cancel(request.path_params["id"])))


async def resume(worker: Worker, request: Request, query: Json) -> Response:
    return accepted(await resuming.resume(worker.runs, request.path_params["id"]))


async def replay(worker: Worker, request: Request, query: Json) -> Response:
    """A new run, of the live version unless one is given, with the old arguments unless there is a body."""
    old = await _row(worker, request)
    job = await find(worker, old.job, "job")
    version = await version_of(worker, job, query.get("version", 0))
    key = idempotency_key(request)
    value, text = await read_json(request.scope["head"], request.receive, empty=b"")
    if text:
        new = checked_run(job, version, key, value, text)
    else:
        new = resuming.like(old, job, version.number, key)
    return accepted(await resuming.replay(worker.runs, old, new, query.get("from_node", "")))


async def result(worker: Worker, request: Request, query: Json) -> Response:
    row = await _row(worker, request)
    if query.get("wait"):
        row = await ended(worker, row, query.get("timeout", PATIENCE), request)
        if not row.terminal:
            return accepted(row)
    elif not row.terminal:
        results.stored_value(worker, row)
    return await results.answer(worker, row, request)


async def outputs(worker: Worker, request: Request, query: Json) -> Response:
    """The stored outputs by function, a list each; that of the run itself goes by the name of the job."""
    row = await _row(worker, request)
    found = await asyncio.to_thread(results.outputs_json, worker, row)
    body = b",".join(json.dumps(name).encode() + b":" + values for name, values in found.items())
    return Response(b'{"outputs":{%b}}' % body, media_type="application/json")


async def output(worker: Worker, request: Request, query: Json) -> Response:
    row, name = await _row(worker, request), request.path_params["fn"]
    found = await asyncio.to_thread(results.outputs_json, worker, row, name)
    return Response(found[name], media_type="application/json")


async def dag(worker: Worker, request: Request, query: Json) -> Response:
    row = await _row(worker, request)
    version = await _version(worker, row)
    if query.get("static"):
        return Response(graph_of(version), media_type="application/json")
    lit = await asyncio.to_thread(_lit, worker, row, version)
    return Response(lit.to_json(), media_type="application/json")


async def svg(worker: Worker, request: Request, query: Json) -> Response:
    row = await _row(worker, request)
    return await picture(await asyncio.to_thread(_lit, worker, row, await _version(worker, row)))


def _lit(worker: Worker, row: RunRow, version: VersionRow) -> DAG:
    """The version's graph with what the run has done so far."""
    path = worker.places.events(row.id)
    events = from_lines(path.read_bytes()) if path.exists() else iter(())
    return overlay(DAG.from_json(graph_of(version)), events)


async def _version(worker: Worker, row: RunRow) -> VersionRow:
    version = await worker.store.version(row.deployment_id, row.version)
    if version is None:
        raise NotFound(f"version {row.version} of {row.job} is gone")
    return version


def endpoints() -> list[Endpoint]:
    not_yet = (404, 406, 409)

    def get(end: str, handle: Any, summary: str, answer: Answer, errors: tuple[int, ...] = (404,)) -> Endpoint:
        return Endpoint("GET", "/v1/runs/{id}" + end, handle, "runs", summary, (answer,), (), errors)

    page = listing("runs", "Run", next={"type": ["string", "null"], "description": "The cursor of the next page."})
    run = {"allOf": [ref("Run")], "properties": {"error": {"type": ["object", "null"]}}, "required": ["error"]}
    value = Answer(200, "The value; of a generator an array. With Accept: application/octet-stream as stored.", {})
    return [
        Endpoint(
            "GET", "/v1/runs", some, "runs", "Runs, the newest first.",
            (Answer(200, "A page.", page),), (JOB, STATUS, TEXT, LIMIT, CURSOR), (404,),
        ),
        get("", one, "How a run fares, and why it failed.", Answer(200, "Its state.", run)),
        Endpoint(
            "DELETE", "/v1/runs/{id}", cancel, "runs", "Cancel a run. One that has ended stays as it is.",
            (Answer(200, "Its state; it ends in a moment.", ref("Run")),), (), (404,),
        ),
        Endpoint(
            "GET", "/v1/runs/{id}/result", result, "runs", "The value of a run, or its error.",
            (
                value,
                replace(value, media=results.RAW, schema=None),
                Answer(202, "With ?wait=true: not finished in time.", ref("Run"), headers=(("Location", "The run."),)),
            ),
            (WAIT, TIMEOUT), (400, *not_yet, 504),
        ),
        Endpoint(
            "POST", "/v1/runs/{id}/resume", resume, "runs",
            "Start a run again, as the same run, that failed or was cancelled. What it had finished is not done again.",
            (Answer(202, "It goes on.", ref("Run"), headers=(("Location", "The run."),)),), (), (404, 409),
        ),
        Endpoint(
            "POST", "/v1/runs/{id}/replay", replay, "runs",
            "A new run that takes over what this one has finished, but for what depends on a change.",
            (Answer(202, "Accepted.", ref("Run"), headers=(("Location", "The path of the new run."),)),),
            (VERSION, FROM_NODE, KEY), (400, 404, 409, 413, 415, 422, 429),
            body={"description": "Other arguments, as for the job; without a body those of the old run."},
        ),
        get("/outputs", outputs, "Stored outputs by function.", Answer(200, "Lists.", {"type": "object"}), not_yet),
        get("/outputs/{fn}", output, "Outputs of one function.", Answer(200, "A list.", {"type": "array"}), not_yet),
        Endpoint(
            "GET", "/v1/runs/{id}/dag", dag, "runs", "The graph with the status of every node.",
            (Answer(200, "Nodes and edges.", DAG_SCHEMA),), (STATIC,), (404,),
        ),
        get("/dag.svg", svg, "A picture of that graph.", Answer(200, "SVG.", None, SVG)),
    ]  # fmt: skip
