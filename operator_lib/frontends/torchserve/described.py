"""What REST tells of a workflow, noted with every deploy: those deployed from Python are there, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operator_lib.frontends.torchserve.specification import SETTINGS, Setting

if TYPE_CHECKING:
    from operator_lib.frontends.torchserve.workflow import Workflow

# Key of the interface -> setting, of which it tells the value for all models.
GLOBALS = {
    "minWorkers": "min-workers",
    "maxWorkers": "max-workers",
    "batchSize": "batch-size",
    "maxBatchDelay": "max-batch-delay",
}


def described(workflow: Workflow, name: str) -> dict[str, Any]:
    """It, as a deployment of this name; see operator_lib.worker.http.torchserve.known."""
    spec = workflow.spec
    return {
        "workflowName": name,
        "workflowUrl": f"{name}.war",
        **{key: _shared(workflow, setting) for key, setting in GLOBALS.items()},
        "versions": {node: model.version for node, model in workflow.models.items()},
        "models": [node for node in spec.nodes if spec.is_model(node)],
        "nodes": {node: {key: said.value for key, said in workflow.settings(node).items()} for node in spec.nodes},
        "workflowDag": "{" + ", ".join(f"{n}=[{', '.join(to)}]" for n, to in spec.edges.items()) + "}",
    }


def _shared(workflow: Workflow, setting: str) -> int:
    return workflow.spec.settings.get(setting, Setting(SETTINGS[setting][0])).value
