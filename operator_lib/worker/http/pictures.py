"""What a page needs to draw graphs and show their source: places of boxes and lines, differences, files by content."""

from __future__ import annotations

import asyncio
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from operator_lib.errors import NotFound
from operator_lib.trace.dag import DAG, Node
from operator_lib.trace.diff import Change, DagDiff, outermost
from operator_lib.trace.draw.geometry import geometry
from operator_lib.wire.proto import deploy_pb2 as pb
from operator_lib.worker.http.changes import PATH, named
from operator_lib.worker.http.deployments import VERSION, graph_of
from operator_lib.worker.http.endpoint import Answer, Endpoint, Json, Parameter
from operator_lib.worker.http.find import version_of
from operator_lib.worker.store.base import VersionRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

_NONE = frozenset[str]()
PLAIN = ("input", "code", "return")
_NUMBER = VERSION.schema
_IDS: Json = {"type": "string", "minLength": 1, "maxLength": 5_000}
DEPTH = Parameter(
    "depth", {"type": "integer", "minimum": 1, "maximum": 40}, "Boxes in boxes; else what is still readable."
)
FOLDED = Parameter("folded", _IDS, "Ids of nodes that are drawn shut, with commas between.")
OPENED = Parameter("opened", _IDS, "Ids of nodes that are drawn open although they are too deep, likewise.")
BEFORE = Parameter("before", _NUMBER, "The version to compare with; the one before by default.")


async def layout(worker: Worker, request: Request, query: Json) -> Response:
    return await _drawn(await version_of(worker, await named(worker, request), query.get("version", 0)), query)


async def run_layout(worker: Worker, request: Request, query: Json) -> Response:
    row = await worker.runs.row(request.path_params["id"])
    version = await worker.store.version(row.deployment_id, row.version)
    if version is None:
        raise NotFound(f"version {row.version} of {row.job} is gone")
    return await _drawn(version, query)


async def _drawn(version: VersionRow, query: Json) -> Response:
    """Placed aside: a large graph takes a while."""
    folded, opened = (frozenset(query[name].split(",")) if name in query else _NONE for name in ("folded", "opened"))
    found = await asyncio.to_thread(_places, graph_of(version), query.get("depth"), folded, opened)
    return Response(found, media_type="application/json")


@lru_cache(maxsize=64)
def _places(graph: str, depth: int | None, folded: frozenset[str], opened: frozenset[str]) -> bytes:
    """As JSON. Graphs of versions do not change, and are looked at again and again."""
    return json.dumps(geometry(DAG.from_json(graph), depth, folded, opened), separators=(",", ":")).encode()


async def files(worker: Worker, request: Request, query: Json) -> Response:
    version = await version_of(worker, await named(worker, request), query.get("version", 0))
    return JSONResponse({"version": version.number, "files": files_of(version)})


def files_of(version: VersionRow) -> list[Json]:
    """By path; the content is at ``/v1/files/{sha256}``."""
    manifest = pb.Manifest.FromString(version.manifest)
    return [{"path": file.path, "sha256": file.sha256, "size": file.size} for file in manifest.files]


async def diff(worker: Worker, request: Request, query: Json) -> Response:
    row = await named(worker, request)
    after = await version_of(worker, row, query.get("version", 0))
    before = await version_of(worker, row, query.get("before", max(1, after.number - 1)))
    found = await asyncio.to_thread(_compared, before, after)
    return JSONResponse({"before": before.number, "after": after.number, **found})


def _compared(before: VersionRow, after: VersionRow) -> Json:
    found: DagDiff = DAG.from_json(graph_of(before)).diff(DAG.from_json(graph_of(after)))
    old, new = ({file["path"]: file["sha256"] for file in files_of(v)} for v in (before, after))
    return {
        "summary": found.summary(),
        "breaking": found.breaking,
        "signature": str(found.signature),
        "added": _outer(found.added),
        "removed": _outer(found.removed),
        "changed": [_change(change) for change in found.changed],
        "moved": [_change(change) for change in found.moved],
        "renamed": [list(pair) for pair in found.renamed],
        "files": {
            "added": sorted(new.keys() - old.keys()),
            "removed": sorted(old.keys() - new.keys()),
            "changed": sorted(path for path in old.keys() & new.keys() if old[path] != new[path]),
        },
    }


def _outer(nodes: tuple[Node, ...]) -> list[Json]:
    """With `outer` where it is no part of another one of them, and no plain code."""
    outer = {node.id for node in outermost(nodes) if node.kind not in PLAIN}
    return [{**_place(node), "outer": node.id in outer} for node in nodes]


def _place(node: Node) -> Json:
    return {"id": node.id, "title": node.title, "kind": node.kind, "file": node.file, "line": node.line}


def _change(change: Change) -> Json:
    return {**_place(change.after), "before": _place(change.before), "reasons": list(change.reasons)}


def endpoints() -> list[Endpoint]:
    """Of deployments, and of the version that a run is of."""
    shape: Json = {"type": "object"}

    def get(path: str, handle: Any, summary: str, says: str, *parameters: Parameter) -> Endpoint:
        tag = path.split("/")[2]
        return Endpoint("GET", path, handle, tag, summary, (Answer(200, says, shape),), parameters, (404,))

    places = "`boxes`, `lines` and `labels` of the picture, in pixels."
    listed = "`path`, `sha256`, `size` of each; the content is at /v1/files/{sha256}."
    folds = (DEPTH, FOLDED, OPENED)
    words = "What is different from an earlier version: nodes, signature, files."
    return [
        get(f"{PATH}/layout", layout, "Where everything of its graph is drawn.", places, VERSION, *folds),
        get(f"{PATH}/files", files, "The files of a version.", listed, VERSION),
        get(f"{PATH}/diff", diff, words, "By kind of change.", VERSION, BEFORE),
        get("/v1/runs/{id}/layout", run_layout, "Where everything of its graph is drawn.", places, *folds),
    ]
