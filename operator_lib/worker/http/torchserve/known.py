"""Which servings are workflows, and what is told of them: from memory, where a request for each is answered."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from operator_lib.errors import NotFound
from operator_lib.worker.http.torchserve import answers
from operator_lib.worker.serving import Serving
from operator_lib.worker.store.base import DeploymentRow, VersionRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

Said = dict[str, Any]


@lru_cache(maxsize=256)
def _said(schema: str) -> Said | None:
    found: Said = json.loads(schema or "{}")
    return found.get("torchserve")


def said(version: VersionRow) -> Said | None:
    """What was noted when it was registered; None: this is no workflow."""
    return _said(version.schema_json)


def find(worker: Worker, name: str) -> tuple[DeploymentRow, VersionRow]:
    """A workflow and its live version. Raises Refused."""
    serving = worker.servings.by_name.get(name)
    if serving is None or serving.closed or serving.version is None or said(serving.version) is None:
        raise answers.not_found(name)
    return serving.deployment, serving.version


async def serving(worker: Worker, name: str, number: int = 0) -> Serving:
    """What answers for a workflow, or for one of its versions. Raises Refused."""
    find(worker, name)
    try:
        return await worker.servings.version(name, number)
    except NotFound as problem:
        raise answers.no_version(name, number) from problem
