"""What handlers lean on: the modules of TorchServe where that is not installed, and the requirements of models."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import requests

from operator_lib.frontends.torchserve import Model, Workflow, archives

sys.path.insert(0, str(Path(__file__).parents[2] / "worker"))

from wheels import wheel  # noqa: E402

NET = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)

    def forward(self, rows):
        return self.layer(rows)
"""
HANDLER = """
import torch
from ts.context import Context
from ts.handler_utils.timer import timed
from ts.metrics.dimension import Dimension
from ts.torch_handler.base_handler import BaseHandler
from ts.utils.util import PredictionException, map_class_to_label

class Sorts(BaseHandler):
    def initialize(self, context):
        super().initialize(context)
        assert self.initialized and isinstance(context, Context)

    @timed
    def preprocess(self, data):
        rows = [row["body"] for row in data]
        if any(len(row) != 2 for row in rows):
            raise PredictionException("two numbers are due", 422)
        return torch.tensor(rows)

    def postprocess(self, data):
        return map_class_to_label(torch.softmax(data, 1).tolist(), self.mapping)
"""


@pytest.fixture
def sorts(tmp_path: Path) -> Model:
    """A network with weights that leave its input as it is, and labels."""
    torch = pytest.importorskip("torch")
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "sorts.py").write_text(HANDLER)
    torch.save({"layer.weight": torch.eye(2), "layer.bias": torch.zeros(2)}, tmp_path / "sorts.pth")
    (tmp_path / "index_to_name.json").write_text(json.dumps({"0": "left", "1": ["n1", "right"]}))
    return Model(
        "sorts", handler=tmp_path / "sorts.py", model_file=tmp_path / "net.py", serialized_file=tmp_path / "sorts.pth",
        extra_files=[tmp_path / "index_to_name.json"],
    )  # fmt: skip


def test_a_handler_of_base_handler(sorts: Model, tmp_path: Path) -> None:
    again = Model.from_mar(sorts.pack(tmp_path))
    answer = again([4.0, 4.0])
    assert answer == {"left": 0.5, "right": 0.5}
    assert again([9.0, 0.0])["left"] > 0.99
    with pytest.raises(Exception, match="two numbers are due") as refused:
        again([1.0])
    assert (type(refused.value).__name__, refused.value.error_code) == ("PredictionException", 422)


def test_over_http_with_the_status_of_its_exception(sorts: Model, url: str, stores: Path, tmp_path: Path) -> None:
    sorts.pack(stores)
    (tmp_path / "sorting.yaml").write_text(
        "models:\n  retry-attempts: 0\n  sorts: {url: sorts.mar}\ndag:\n  sorts: []\n"
    )
    (tmp_path / "nothing.py").write_text("")
    archives.workflow("sorting", tmp_path / "sorting.yaml", tmp_path / "nothing.py", stores, "")
    requests.post(f"{url}/workflows?url=sorting.war", timeout=60).raise_for_status()
    assert requests.post(f"{url}/wfpredict/sorting", json=[4, 4.0], timeout=60).json() == {"left": 0.5, "right": 0.5}
    refused = requests.post(f"{url}/wfpredict/sorting", json=[1.0], timeout=60)
    assert (refused.status_code, refused.json()["type"]) == (422, "PredictionException")


def test_requirements_of_a_model_are_installed_for_it(url: str, stores: Path, tmp_path: Path) -> None:
    needed = wheel(tmp_path, "needed_by_a_model", "1.0", "def shout(text):\n    return text.upper()\n")
    (tmp_path / "needy.py").write_text(
        "def handle(data, context):\n    from needed_by_a_model import shout\n"
        "    return data and [shout(bytes(row['body']).decode()) for row in data]\n"
    )
    (tmp_path / "needing.yaml").write_text("models:\n  needy: {url: needy.mar}\ndag:\n  needy: []\n")

    def registered(requirement: str) -> requests.Response:
        (tmp_path / "needs.txt").write_text(f"{requirement}\n")
        model = Model(
            "needy", handler=tmp_path / "needy.py", requirements_file=tmp_path / "needs.txt", extra_files=[needed]
        )
        model.pack(stores, force=True)
        Workflow.from_yaml(tmp_path / "needing.yaml", model_store=stores).pack(stores, force=True)
        return requests.post(f"{url}/workflows?url=needing.war", timeout=100)

    missing = registered("./absent-1.0-py3-none-any.whl")
    assert (missing.status_code, "absent-1.0" in missing.json()["message"]) == (400, True)
    done = registered(f"./{needed.name}")
    assert done.status_code == 200, done.text
    assert requests.post(f"{url}/wfpredict/needing", b"x", timeout=60).text == "X"
