"""Everything that is deployed in one answer: what a page needs to list it, with how it fares and what it did last."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from operator_lib.worker.http.endpoint import Answer, Endpoint, Json
from operator_lib.worker.http.shown import deployment_state, run_state
from operator_lib.worker.store.base import DeploymentRow, VersionRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Runs of each job that are shown with it.
LAST = 20


async def overview(worker: Worker, request: Request, query: Json) -> Response:
    counts = worker.store.counts_by_job()
    rows = worker.store.deployments()
    return JSONResponse({"deployments": [_seen(worker, row, counts.get(row.name, {})) for row in rows]})


def _seen(worker: Worker, row: DeploymentRow, counts: dict[str, int]) -> Json:
    version = worker.store.version(row.id, row.live_version)
    shown = deployment_state(worker, row)
    options: Json = shown.pop("options")
    found: Json = {**shown, "form": form_of(version), "metadata": options.get("metadata")}
    if row.kind == "job":
        found["counts"] = counts
        found["last"] = [run_state(run) for run in worker.store.runs(job=row.name, limit=LAST)]
    else:
        serving = worker.servings.by_name.get(row.name)
        points = worker.pulse.points(row.name)[-LAST:]
        found["wanted"] = serving.wanted if serving is not None else 0
        found["rates"] = [round(point.calls / max(point.seconds, 1e-3), 2) for point in points]
    return found


def form_of(version: VersionRow | None) -> str:
    """``operator``, ``graph`` or ``workflow``: the way it was written."""
    return _form(version.schema_json) if version is not None else "operator"


@lru_cache(maxsize=256)
def _form(schema_json: str) -> str:
    schema: dict[str, Any] = json.loads(schema_json or "{}")
    return "graph" if schema.get("graph") else "workflow" if schema.get("torchserve") else "operator"


def endpoints() -> list[Endpoint]:
    """``GET /v1/deployments``."""
    answer = Answer(200, "By name, with the last runs of jobs and the calls a second of servings.", {"type": "object"})
    return [Endpoint("GET", "/v1/deployments", overview, "deployments", "Jobs and servings alike.", (answer,))]
