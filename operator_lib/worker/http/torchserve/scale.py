"""Other settings for the nodes of a workflow that is being served: a version that differs in nothing else.

Like every version it takes over without a failed request, is there again after a restart, and can be gone back from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from operator_lib.wire.proto import common_pb2 as common
from operator_lib.wire.proto import deploy_pb2 as pb
from operator_lib.worker.http.torchserve.answers import Refused
from operator_lib.worker.http.torchserve.deploying import deploy, turn
from operator_lib.worker.http.torchserve.known import Said, find, said
from operator_lib.worker.store.base import VersionRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Node -> setting -> number, as JSON: read by operator_lib.frontends.torchserve.workflow in the replica.
VARIABLE = "OPERATOR_LIB_NODE_SETTINGS"
# Parameter, with or without an s at its end -> setting, its least value.
PARAMETERS = {
    "min_worker": ("min-workers", 1),
    "max_worker": ("max-workers", 1),
    "batch_size": ("batch-size", 1),
    "max_batch_delay": ("max-batch-delay", 0),
    "timeout_ms": ("timeout-ms", 1),
}
GLOBALS = {"min-workers": "minWorkers", "max-workers": "maxWorkers", "batch-size": "batchSize", "max-batch-delay": "maxBatchDelay"}  # fmt: skip  # noqa: E501


def settings_of(given: Mapping[str, Any]) -> dict[str, int]:
    """The settings among the parameters of a request. Raises Refused."""
    found: dict[str, int] = {}
    for key, value in given.items():
        name = key.replace("-", "_").lower()
        known = PARAMETERS.get(name) or PARAMETERS.get(name.removesuffix("s"))
        if known is None:
            continue
        setting, least = known
        if isinstance(value, bool) or not str(value).isdecimal() or not least <= int(value) < 2**31:
            raise Refused(400, "BadRequestException", f"{key} must be a whole number of at least {least}, got {value}")
        found[setting] = int(value)
    if found.get("min-workers", 1) > found.get("max-workers", 2**31):
        raise Refused(400, "BadRequestException", "max_worker cannot be less than min_worker.")
    return found


async def scale(worker: Worker, name: str, node: str, wanted: Mapping[str, int]) -> None:
    """Have these settings from now on, for one node or (`node` empty) for all models.

    Raises:
        Refused: there is no such workflow or node, or its processes do not start.
    """
    async with turn(worker, name):
        _, version = find(worker, name)
        about = said(version)
        assert about is not None, "it has been found"
        changed = _changed(about, node, wanted)
        if changed != about:
            await deploy(worker, _request(name, version, changed), f"Workflow {name} has failed to scale.")


def _request(name: str, version: VersionRow, changed: Said) -> pb.DeployRequest:
    """For the version that follows."""
    text = json.dumps(changed["nodes"], sort_keys=True)
    chosen: dict[str, Any] = json.loads(version.options_json or "{}")
    others = [env for env in chosen.get("environment_variables", ()) if env["name"] != VARIABLE]
    chosen["environment_variables"] = [*others, {"name": VARIABLE, "default": text}]
    schema = {**json.loads(version.schema_json), "torchserve": changed}
    return pb.DeployRequest(
        name=name,
        kind=common.DEPLOYMENT_KIND_SERVING,
        manifest=pb.Manifest.FromString(version.manifest),
        entry=pb.BlobRef(sha256=version.entry_sha256, size=version.entry_size),
        python=version.python,
        requirements=version.requirements,
        options_json=json.dumps(chosen),
        schema_json=json.dumps(schema, sort_keys=True),
        dag_json=version.dag_json,
        fingerprint=hashlib.sha256(f"{version.fingerprint} {text}".encode()).hexdigest(),
    )


def _changed(about: Said, node: str, wanted: Mapping[str, int]) -> Said:
    """What is told of the workflow afterwards."""
    nodes: dict[str, dict[str, int]] = about["nodes"]
    models = [name for name in nodes if name in about["models"]] or list(nodes)
    if node and node not in nodes:
        raise Refused(404, "ModelNotFoundException", f"Node not found: {node}; there is: {', '.join(nodes)}")
    after = dict(nodes)
    for name in [node] if node else models:
        own = {**nodes[name], **wanted}
        low, high = own["min-workers"], own["max-workers"]
        own["max-workers"] = max(high, low) if "max-workers" not in wanted else high
        own["min-workers"] = min(high, low) if "min-workers" not in wanted else low
        after[name] = own
    shown = {} if node else {GLOBALS[key]: after[models[0]][key] for key in GLOBALS}
    return {**about, **shown, "nodes": after}
