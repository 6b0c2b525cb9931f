"""Rows of the store as JSON for people and programs, and the JSON Schemas of what comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operator_lib.worker.http.find import options, words
from operator_lib.worker.store.base import (
    STATUSES,
    DeploymentRow,
    RunRow,
    ScheduleRow,
    SecretRow,
    VersionRow,
)

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_TIME: Json = {"type": "number", "description": "Seconds since the epoch."}
_MAYBE_TIME: Json = {"type": ["number", "null"], "description": "Seconds since the epoch."}


def _object(title: str, optional: tuple[str, ...] = (), **properties: Json) -> Json:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "title": title, "properties": properties, "required": required}


def ref(name: str) -> Json:
    """A schema of `COMPONENTS`."""
    return {"$ref": f"#/components/schemas/{name}"}


def listing(name: str, item: str, **more: Json) -> Json:
    """An object with a list of things."""
    properties: Json = {name: {"type": "array", "items": ref(item)}, **more}
    return _object(name, (), **properties)


COMPONENTS: dict[str, Json] = {
    "Error": _object("Error", error=_object("Problem", type=_TEXT, message=_TEXT, details={})),
    "Run": _object(
        "Run",
        id=_TEXT,
        run_id={**_TEXT, "description": "The same as id."},
        job=_TEXT,
        version=_COUNT,
        kind={"enum": ["run", "map"]},
        status={"enum": list(STATUSES)},
        created=_TIME,
        started=_MAYBE_TIME,
        ended=_MAYBE_TIME,
        attempts=_COUNT,
        cause={**_TEXT, "description": "In words, while it waits again or after its end."},
        result_size={"type": "integer", "minimum": -1, "description": "Bytes, -1 without a result."},
    ),
    "Version": _object("Version", number=_COUNT, fingerprint=_TEXT, created=_TIME, status=_TEXT, message=_TEXT),
    "Replica": _object("Replica", id=_TEXT, pid=_COUNT, version=_COUNT, status=_TEXT, started=_TIME),
    "Deployment": _object(
        "Deployment",
        ("url", "replicas"),
        name=_TEXT,
        kind={"enum": ["job", "serving"]},
        id=_TEXT,
        version=_COUNT,
        status={"enum": ["ready", "starting", "degraded", "failed"]},
        created=_TIME,
        updated=_TIME,
        description=_TEXT,
        python=_TEXT,
        options={"type": "object"},
        url=_TEXT,
        replicas={"type": "array", "items": ref("Replica")},
    ),
    "Secret": _object("Secret", name=_TEXT, created=_TIME, updated=_TIME),
    "Schedule": _object(
        "Schedule",
        id=_TEXT,
        job=_TEXT,
        cron=_TEXT,
        timezone=_TEXT,
        paused={"type": "boolean"},
        grace={"type": "number", "description": "Seconds by which a run may be late."},
        created=_TIME,
        next=_MAYBE_TIME,
        last=_MAYBE_TIME,
        last_run={**_TEXT, "description": "Its id, empty before the first."},
        note={**_TEXT, "description": "What went wrong last, in words."},
    ),
}


def run_state(row: RunRow) -> Json:
    """A run, without its result."""
    return {
        "id": row.id,
        "run_id": row.id,
        "job": row.job,
        "version": row.version,
        "kind": row.kind,
        "status": row.status,
        "created": row.created,
        "started": row.started,
        "ended": row.ended,
        "attempts": row.attempts,
        "cause": row.cause,
        "result_size": row.result_size,
    }


def version_state(row: VersionRow) -> Json:
    return {
        "number": row.number,
        "fingerprint": row.fingerprint,
        "created": row.created,
        "status": row.status,
        "message": row.message,
    }


async def deployment_state(worker: Worker, row: DeploymentRow) -> Json:
    """A deployment and how it fares now."""
    version = await worker.store.version(row.id, row.live_version)
    given = options(version) if version else {}
    found: Json = {
        "name": row.name,
        "kind": row.kind,
        "id": row.id,
        "version": row.live_version,
        "status": "ready" if row.live_version else "failed",
        "created": row.created,
        "updated": row.updated,
        "description": given.get("description") or (words(version).doc if version else ""),
        "python": version.python if version else "",
        "options": given,
    }
    if row.kind == "serving":
        found["url"] = f"{worker.endpoint.url}/v1/servings/{row.name}/"
        serving = worker.servings.by_name.get(row.name)
        found["replicas"] = [
            {"id": r.id, "pid": r.pid, "version": r.version.number, "status": r.status, "started": r.started}
            for r in (serving.replicas if serving else ())
        ]
        if row.live_version and serving is not None:
            found["status"] = serving.status
    return found


def secret_state(row: SecretRow) -> Json:
    return {"name": row.name, "created": row.created, "updated": row.updated}


def schedule_state(worker: Worker, row: ScheduleRow) -> Json:
    return {
        "id": row.id,
        "job": row.job,
        "cron": row.cron,
        "timezone": row.timezone,
        "paused": row.paused,
        "grace": row.grace,
        "created": row.created,
        "next": worker.schedules.next(row),
        "last": row.last,
        "last_run": row.last_run,
        "note": row.note,
    }
