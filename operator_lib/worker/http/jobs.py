"""Runs by HTTP: a JSON body is accepted as the arguments of a job, and answered with the run or its value."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from operator_lib.telemetry.trace_context import TraceContext
from operator_lib.worker.accepted import new_run
from operator_lib.worker.http.body import read_json
from operator_lib.worker.http.deployments import VERSION
from operator_lib.worker.http.endpoint import Answer, Endpoint, Json, Parameter
from operator_lib.worker.http.errors import Refusal, refuse
from operator_lib.worker.http.find import asked, methods
from operator_lib.worker.http.results import answer
from operator_lib.worker.http.shown import ref, run_state
from operator_lib.worker.store.base import DeploymentRow, RunRow, VersionRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Seconds that a request waits for a run unless it says otherwise, and at most.
PATIENCE = 60.0
LONGEST = 3600
KEY_LIMIT = 255

WAIT = Parameter("wait", {"type": "boolean", "default": False}, "Wait for the end of the run and answer its value.")
TIMEOUT = Parameter(
    "timeout",
    {"type": "number", "minimum": 0, "maximum": LONGEST, "default": PATIENCE},
    "Seconds to wait; the answer is 202 when they have passed, and the run goes on.",
)
KEY = Parameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": KEY_LIMIT, "pattern": "^[!-~]+$"},
    "The same key gives the same run of the job; with other arguments it is refused (409).",
    "header",
)
WAITED = (500, 504, 406)


async def submit(worker: Worker, request: Request, query: Json) -> Response:
    """Accept a run: with the answer it is on the worker's disk."""
    job, version = await asked(worker, request, query, "job")
    key = idempotency_key(request)
    value, text = await read_json(request.scope["head"], request.receive)
    caller = TraceContext.parse(request.scope["head"].traceparent)
    row = await worker.runs.queue.submit(checked_run(job, version, key, value, text, str(caller or "")))
    if query.get("wait"):
        row = await ended(worker, row, query.get("timeout", PATIENCE), request)
        if row.terminal:
            try:
                response = await answer(worker, row, request)
            except Exception as error:  # a result without a JSON form is there all the same
                response = refuse(error)
            response.headers["Location"] = f"/v1/runs/{row.id}"
            return response
    return accepted(row)


def checked_run(
    job: DeploymentRow, version: VersionRow, key: str, value: Any, text: bytes, traceparent: str = ""
) -> RunRow:
    """A row for a run with the arguments of a body; `traceparent`: the span of who asks.

    Raises:
        Refusal: 422, they do not fit.
    """
    if arguments := methods(version).get(""):
        arguments.check(value)
    return new_run(
        job,
        version.number,
        idempotency_key=key,
        # Of what is meant, not of how it was typed: the order of keys and white space do not count.
        input_sha256=hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest(),
        input_ref="inline",
        input_inline=text,
        traceparent=traceparent,
    )


def accepted(row: RunRow) -> Response:
    """202: where to look for the run."""
    return JSONResponse(run_state(row), 202, headers={"Location": f"/v1/runs/{row.id}"})


def idempotency_key(request: Request) -> str:
    """What the caller calls this request; "" without a name. Raises Refusal (400)."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return ""
    if not 1 <= len(key) <= KEY_LIMIT or not all("!" <= letter <= "~" for letter in key):
        words = f"1 to {KEY_LIMIT} printable ASCII characters without spaces"
        details = [{"path": "Idempotency-Key", "message": f"must be {words}", "expected": words}]
        raise Refusal(400, "ValidationError", f"Idempotency-Key: must be {words}", details)
    return key


async def ended(worker: Worker, row: RunRow, seconds: float, request: Request) -> RunRow:
    """The run as it is when it has ended, the time is up, the worker stops, or nobody waits for it any more."""
    gone = asyncio.ensure_future(_gone(request))
    runs = worker.runs
    try:
        async with asyncio.timeout(seconds):
            while True:
                signal = runs.states.next(row.id)
                row = await runs.row(row.id)
                if row.terminal or runs.closed.is_set() or gone.done():
                    return row
                news = asyncio.ensure_future(signal.wait())
                try:
                    await asyncio.wait([news, gone], return_when=asyncio.FIRST_COMPLETED)
                finally:
                    news.cancel()
    except TimeoutError:
        return await runs.row(row.id)
    finally:
        gone.cancel()


async def _gone(request: Request) -> None:
    """Returns when the client has closed the connection."""
    with contextlib.suppress(RuntimeError):
        while (await request.receive())["type"] != "http.disconnect":
            pass


def endpoints(plural: str) -> list[Endpoint]:
    """``POST /v1/jobs/{name}``, and the same for graphs."""
    run_header = (("Location", "The path of the run."),)
    anything: dict[str, Any] = {"description": "An object: keyword arguments; anything else: the first argument."}
    return [
        Endpoint(
            "POST",
            f"/v1/{plural}/{{name}}",
            submit,
            plural,
            f"Start a run of a {plural[:-1]}.",
            (
                Answer(202, "Accepted; with ?wait=true: not finished in time.", ref("Run"), headers=run_header),
                Answer(200, "With ?wait=true: the value; of a generator an array.", {}, headers=run_header),
            ),
            (WAIT, TIMEOUT, VERSION, KEY),
            (400, 404, 406, 409, 413, 415, 422, 429, 504),
            body=anything,
            kind="job",
        )
    ]
