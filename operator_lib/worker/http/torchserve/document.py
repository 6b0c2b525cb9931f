"""TorchServe's paths in the worker's OpenAPI document. They are routed by `routes` and `predict`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from operator_lib.worker.http.endpoint import Answer, Endpoint, Json, Parameter

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

_ERROR: Json = {
    "type": "object",
    "properties": {"code": {"type": "integer"}, "type": {"type": "string"}, "message": {"type": "string"}},
    "required": ["code", "type"],
}
_STATUS: Json = {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]}
_LISTED: Json = {
    "type": "object",
    "properties": {
        "nextPageToken": {"type": "string"},
        "workflows": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"workflowName": {"type": "string"}, "workflowUrl": {"type": "string"}},
            },
        },
    },
    "required": ["workflows"],
}
_DESCRIBED: Json = {"type": "array", "items": {"type": "object", "description": "Its name, address, settings and DAG."}}
_URL = "An archive of the workflow store, or its address: file://, http://, https://."
_FAILED = {
    400: "A parameter, the archive or the specification is wrong: every mistake with its line.",
    404: "There is no such workflow, version or archive.",
    405: "Nothing that could be changed is named.",
    409: "There is a workflow of that name.",
    413: "The body is too large.",
    500: "A node has failed, or cannot be started.",
    504: "A node did not answer in time.",
}


async def _elsewhere(worker: Worker, request: Request, query: Json) -> Response:
    raise RuntimeError(f"{request.url.path} was routed past its application")


def _text(name: str, about: str) -> Parameter:
    return Parameter(name, {"type": "string"}, about)


def _count(name: str, about: str, least: int = 1) -> Parameter:
    return Parameter(name, {"type": "integer", "minimum": least, "maximum": 2**31 - 1}, about)


def _row(
    method: str, path: str, summary: str, answer: Answer, parameters: tuple[Parameter, ...], *errors: int
) -> Endpoint:
    failed = tuple(Answer(code, _FAILED[code], _ERROR) for code in errors)
    return Endpoint(method, path, _elsewhere, "TorchServe", summary, (answer, *failed), parameters)


def endpoints() -> tuple[Endpoint, ...]:
    """Every row once."""
    done = Answer(200, "It is done.", _STATUS)
    described = Answer(200, "One object for each version.", _DESCRIBED)
    patience = _count("startup_timeout", "Seconds for its processes to start.")
    settings = (
        _text("url", f"A new version: {_URL}"),
        _text("node", "The node whose settings change; without it those of all models."),
        _count("min_worker", "Processes that are always there."),
        _count("max_worker", "Processes at most."),
        _count("batch_size", "Requests that a process takes together at most."),
        _count("max_batch_delay", "Milliseconds that the first request of a batch waits for others.", 0),
        _count("timeout_ms", "Milliseconds for an attempt."),
        patience,
    )
    page = _text("limit", "How many; 100 by default and at most."), _text("next_page_token", "Of the page before.")
    named = (
        Parameter("url", {"type": "string", "minLength": 1}, _URL, required=True),
        _text("workflow_name", "Instead of the one in the archive."),
        patience,
    )
    listed = Answer(200, "A page, by name.", _LISTED)
    body = Answer(200, "What the last node answers.", None, "*/*")
    place, call = "/workflows/{name}", "/wfpredict/{name}"
    changes = "Update it, or change settings of its nodes; no request fails."
    return (
        _row("GET", "/workflows", "List workflows.", listed, page),
        _row("POST", "/workflows", "Register an archive.", done, named, 400, 404, 409, 500),
        _row("GET", place, "Describe a workflow.", described, (), 404),
        _row("PUT", place, changes, done, settings, 400, 404, 405, 500),
        _row("DELETE", place, "Remove it.", done, (), 404),
        _row("GET", place + "/all", "Describe all its versions, and the settings of their nodes.", described, (), 404),
        _row("GET", place + "/{version}", "Describe a version.", described, (), 404),
        _row("PUT", place + "/{version}/set-default", "Have another version answer.", done, (), 404, 500),
        _row("POST", call, "Run it on the body.", body, (), 404, 413, 500, 504),
        _row("POST", call + "/{version}", "Run a version of it on the body.", body, (), 404, 413, 500, 504),
    )
