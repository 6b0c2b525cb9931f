"""Everything that is deployed in one answer: what a page needs to list it, with how it fares and what it did last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from operator_lib.worker.http.endpoint import Answer, Endpoint, Json
from operator_lib.worker.http.find import words
from operator_lib.worker.http.shown import deployment_state, run_state
from operator_lib.worker.store.base import DeploymentRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Runs of each job that are shown with it.
LAST = 20


async def overview(worker: Worker, request: Request, query: Json) -> Response:
    counts = await worker.store.counts_by_job()
    rows = await worker.store.deployments()
    return JSONResponse({"deployments": [await _seen(worker, row, counts.get(row.name, {})) for row in rows]})


async def _seen(worker: Worker, row: DeploymentRow, counts: dict[str, int]) -> Json:
    version = await worker.store.version(row.id, row.live_version)
    shown = await deployment_state(worker, row)
    options: Json = shown.pop("options")
    found: Json = {**shown, "form": words(version).form if version else "", "metadata": options.get("metadata")}
    if row.kind == "job":
        found["counts"] = counts
        found["last"] = [run_state(run) for run in await worker.store.runs(job=row.name, limit=LAST)]
    else:
        serving = worker.servings.by_name.get(row.name)
        points = worker.pulse.points(row.name)[-LAST:]
        found["wanted"] = serving.wanted if serving is not None else 0
        found["rates"] = [round(point.calls / max(point.seconds, 1e-3), 2) for point in points]
    return found


def endpoints() -> list[Endpoint]:
    """``GET /v1/deployments``."""
    answer = Answer(200, "By name, with the last runs of jobs and the calls a second of servings.", {"type": "object"})
    return [Endpoint("GET", "/v1/deployments", overview, "deployments", "Jobs and servings alike.", (answer,))]
