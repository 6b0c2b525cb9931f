"""How a serving fares: numbers of now, of the last hour, and what its replicas print."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from operator_lib.engine.serving_stats import described
from operator_lib.worker import stories
from operator_lib.worker.control.servings import told
from operator_lib.worker.http.changes import PATH, named
from operator_lib.worker.http.endpoint import Answer, Endpoint, Json, Parameter
from operator_lib.worker.http.errors import Refusal
from operator_lib.worker.http.events import FOLLOW, messages, streamed
from operator_lib.worker.http.find import options, version_of
from operator_lib.worker.store.base import DeploymentRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

SINCE = Parameter(
    "since", {"type": "number", "minimum": 0, "maximum": 2**40}, "Only points after it, in seconds since the epoch."
)


async def _serving(worker: Worker, request: Request) -> DeploymentRow:
    row = await named(worker, request)
    if row.kind != "serving":
        raise Refusal(409, "Refused", f"{row.name} is a job: its runs have events and logs of their own")
    return row


async def stats(worker: Worker, request: Request, query: Json) -> Response:
    row = await _serving(worker, request)
    serving = worker.servings.get(row.name)
    await worker.pulse.look(row.name)
    points = [asdict(point) for point in worker.pulse.points(row.name, query.get("since", 0.0))]
    given = options(await version_of(worker, row))
    limits = {name: given.get(name) for name in ("min_replicas", "max_replicas", "concurrency", "batch")}
    more = {"fixed": serving.fixed, "cause": serving.last_cause, "limits": limits, "points": points}
    return JSONResponse({**described(told(worker, serving)), **more})


async def logs(worker: Worker, request: Request, query: Json) -> Response:
    row = await _serving(worker, request)
    lines = stories.read(worker, row.name, follow=query.get("follow", True), kinds=("log",))
    return streamed(worker, request, lines, messages, "text/event-stream", beat=b": still here\n\n")


def endpoints() -> list[Endpoint]:
    """Of servings."""
    numbers = Answer(200, "Counts since the start, `points` of the last hour, `replicas`.", {"type": "object"})
    stream = Answer(200, "A message for each line.", None, "text/event-stream")
    return [
        Endpoint(
            "GET", f"{PATH}/stats", stats, "deployments", "What a serving did and has to do.", (numbers,), (SINCE,),
            (404, 409),
        ),
        Endpoint(
            "GET", f"{PATH}/logs", logs, "deployments", "What the replicas of a serving print.", (stream,), (FOLLOW,),
            (404, 409),
        ),
    ]  # fmt: skip
