"""A new run takes over what an old one has finished, but for what depends on a change; the old run stays as it was."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pipelines
import pytest
from crash import read_lines

from operator_lib.errors import NotFound

SOURCE = """
import os

from operator_lib import Operator


def note(path, text):
    with open(path, "a") as file:
        file.write(text + chr(10))


def helper(x):
    return x + {helper}


class Load(Operator):
    def forward(self, effects, n):
        note(effects, "load")
        return list(range(n))


class Scale(Operator):
    def __init__(self, factor):
        self.factor = factor

    def forward(self, effects, items):
        note(effects, "scale")
        return [x * self.factor for x in items]


class Clean(Operator):
    def forward(self, effects, items):
        note(effects, "clean")
        {clean}


class Total(Operator):
    def forward(self, effects, items):
        note(effects, "total")
        return sum(helper(x) for x in items)


class Flow(Operator):
    def __init__(self, factor):
        self.load = Load()
        self.scale = Scale(factor)
        self.clean = Clean()
        self.total = Total()

    def forward(self, effects, n):
        items = self.load(effects, n)
        return self.total(effects, self.clean(effects, self.scale(effects, items)))
"""
BODIES = ["load", "scale", "clean", "total"]
CLEAN = "return [x for x in items if x]"


class Project:
    """A folder with a program that is edited."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir()

    def deploy(self, factor=10, helper=0, clean=CLEAN):
        (self.folder / "flow_under_change.py").write_text(SOURCE.format(helper=helper, clean=clean))
        sys.modules.pop("flow_under_change", None)
        importlib.invalidate_caches()
        return importlib.import_module("flow_under_change").Flow(factor).deploy("flow")


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path / "project"))
    yield Project(tmp_path / "project")
    sys.modules.pop("flow_under_change", None)


@pytest.fixture
def file(tmp_path):
    return str(tmp_path / "effects")


def again(file, run, **change):
    """The result of a replay, and which bodies have run for it."""
    before = len(read_lines(file))
    replayed = run.replay(**change)
    assert replayed.id != run.id
    return replayed.result(20), read_lines(file)[before:]


def test_nothing_has_changed(shared, project, file):
    run = project.deploy().submit(file, 4)
    assert run.result(20) == 60
    story = list(run.events())
    assert again(file, run) == (60, [])
    assert list(run.events()) == story
    assert (run.status, run.attempts) == ("COMPLETED", 1)


@pytest.mark.parametrize(
    ("change", "result", "bodies"),
    [
        ({"clean": "return [x for x in items if x > 10]"}, 50, ["clean", "total"]),
        ({"clean": "return [x for x in items if x != 0]"}, 60, ["clean"]),  # what comes of it is the same
        ({"clean": "# cleaner\n        return [y for y in items if y]"}, 60, []),
        ({"helper": 1}, 63, ["total"]),
        ({"factor": 20}, 120, ["scale", "clean", "total"]),
    ],
)
def test_only_what_depends_on_a_change_runs_again(shared, project, file, change, result, bodies):
    run = project.deploy().submit(file, 4)
    assert run.result(20) == 60
    project.deploy(**change)
    assert again(file, run) == (result, bodies)
    assert run.result() == 60


def test_other_inputs(shared, project, file):
    run = project.deploy().submit(file, 4)
    assert run.result(20) == 60
    assert again(file, run, inputs={"effects": file, "n": 3}) == (30, BODIES)
    assert again(file, run, inputs=(file, 4)) == (60, [])
    with pytest.raises(TypeError):
        run.replay(inputs=(1, 2, 3))


def test_a_version_or_a_deployed_job_as_the_code(shared, project, file):
    first = project.deploy()
    run = first.submit(file, 4)
    assert run.result(20) == 60
    second = project.deploy(factor=20)
    assert again(file, run, code=run.version) == (60, [])
    assert again(file, run, code=second) == (120, ["scale", "clean", "total"])
    with pytest.raises(NotFound, match="has no version 99"):
        run.replay(code=99)
    with pytest.raises(TypeError, match="must be a version number or a deployed job"):
        run.replay(code="newest")


@pytest.mark.parametrize(("node", "bodies"), [("load", BODIES), ("clean", BODIES[2:]), ("total", BODIES[3:])])
def test_from_a_node_on(shared, project, file, node, bodies):
    run = project.deploy().submit(file, 4)
    assert run.result(20) == 60
    assert again(file, run, from_node=node) == (60, bodies)
    assert again(file, run, from_node=run.dag().node(node).id) == (60, bodies)
    with pytest.raises(NotFound, match="has no node 'nothing'; it has: clean, load, scale, total"):
        run.replay(from_node="nothing")


def test_calls_that_use_the_state_of_the_run_are_made_again(shared, file):
    run = pipelines.WithState().deploy("with-state").submit(file)
    assert run.result(20) == 12
    assert again(file, run) == (12, ["sets 5", "adds 7"])


def test_a_replay_of_a_replay_and_of_a_run_that_failed(shared, project, file):
    run = project.deploy(clean="raise ValueError(items)").submit(file, 4)
    with pytest.raises(ValueError, match="20"):
        run.result(20)
    project.deploy()
    fixed = run.replay()
    assert fixed.result(20) == 60
    assert run.status == "FAILED"
    assert read_lines(file) == ["load", "scale", "clean", "clean", "total"]
    assert again(file, fixed) == (60, [])
