"""Jobs and servings share what is stored: with one another, and over versions of which the code is the same."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from operator_lib.worker import LocalWorker

SOURCE = """
from operator_lib import Operator, operator

@operator(cacheable=True)
def costly(x: int, log: str) -> int:
    with open(log, "a") as told:
        told.write("x")
    return x * 2

class Costly(Operator):
    def forward(self, x: int, log: str) -> int:
        return costly(x, log) + costly(x, log)
"""


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A module of the user's, in a folder of its own."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "cached_program.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path / "project"))
    yield importlib.import_module("cached_program")
    sys.modules.pop("cached_program", None)


def test_runs_share_outputs(user, worker: LocalWorker, tmp_path: Path):
    log = tmp_path / "log"
    job = user.Costly().deploy("cached-job")
    serving = user.Costly().deploy("cached-serving", "serving")
    assert job(2, str(log)) == serving(2, str(log)) == job(2, str(log)) == 8
    assert log.read_text() == "x"
    run = job.submit(2, str(log))
    assert run.result(timeout=60) == 8
    assert {node.status for node in run.dag().nodes if node.operator or node.name == "costly"} >= {"cached"}
    log.write_text("")
    root = user.costly.deploy("cached-root")
    assert root(3, str(log)) == root(3, str(log)) == user.costly.deploy("cached-root-again")(3, str(log)) == 6
    assert log.read_text() == "x"
    with pytest.raises(ValueError, match="argument 'x' is generator"):
        user.costly((i for i in ()), str(log))
    job.job.delete()
    serving.serving.delete()
