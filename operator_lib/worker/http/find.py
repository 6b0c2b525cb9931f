"""The deployment that a path names, and what is known of its versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from operator_lib.errors import NotFound
from operator_lib.worker.http.arguments import Arguments, arguments_of
from operator_lib.worker.store.base import DeploymentRow, VersionRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker


async def find(worker: Worker, name: str, kind: str) -> DeploymentRow:
    """The deployment.

    Raises:
        NotFound: there is none of that name and kind, or none of its versions is ready.
    """
    row = await worker.store.deployment(name=name, kind=kind)
    if row is None or row.kind != kind or not row.live_version:
        names = ", ".join(r.name for r in await worker.store.deployments(kind=kind) if r.live_version) or "none"
        raise NotFound(f"no {kind} {name!r} on this worker; there is: {names:.500}")
    return row


async def version_of(worker: Worker, row: DeploymentRow, number: int = 0) -> VersionRow:
    """One version, the live one by default. Raises NotFound."""
    found = await worker.store.version(row.id, number or row.live_version)
    if found is None:
        raise NotFound(f"{row.name} has no version {number or row.live_version}")
    return found


async def asked(
    worker: Worker, request: Request, query: Mapping[str, Any], kind: str
) -> tuple[DeploymentRow, VersionRow]:
    """The deployment and version of a request."""
    row = await find(worker, request.path_params["name"], kind)
    return row, await version_of(worker, row, query.get("version", 0))


def methods(version: VersionRow) -> Mapping[str, Arguments]:
    """What can be called on a version, by name."""
    return arguments_of(version.schema_json)


@dataclass(frozen=True, slots=True)
class Words:
    """What a version says of itself: ``operator``, ``graph`` or ``workflow``, the way it was written; its docstring."""

    form: str
    doc: str


def words(version: VersionRow) -> Words:
    """Read once for each text: schemas are large."""
    return _words(version.schema_json)


@lru_cache(maxsize=256)
def _words(schema_json: str) -> Words:
    schema: dict[str, Any] = json.loads(schema_json or "{}")
    form = "graph" if schema.get("graph") else "workflow" if schema.get("torchserve") else "operator"
    own = schema.get("methods", {}).get("", {})
    return Words(form, schema.get("doc") or own.get("doc") or "")


def options(version: VersionRow) -> Any:
    """Its options, as the deployer gave them."""
    return json.loads(version.options_json or "{}")
