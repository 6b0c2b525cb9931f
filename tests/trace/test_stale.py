"""What an edit means for outputs that are stored: which operators run again, which perhaps, which do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from operator_lib.trace import build_from_file
from operator_lib.trace.stale import Stale, stale

SOURCE = """
from operator_lib import Operator


def half(xs):
    return len(xs) // 2


class Load(Operator):
    def forward(self, n):
        return list(range(n))


class Split(Operator):
    def forward(self, xs):
        return xs[: half(xs)], xs[half(xs) :]


class Train(Operator):
    def forward(self, xs):
        return sum(xs)


class Pipeline(Operator):
    def __init__(self):
        self.load, self.split, self.report = Load(), Split(), Load()
        self.models = [Train(), Train()]

    def forward(self, n: int):
        xs = self.load(n)
        a, b = self.split(xs)
        best = 0
        for model in self.models:
            best = max(best, model(a))
        if best > 3:
            best = self.report([best])
        return best
"""
STORED = ("load", "split", "models.0", "models.1", "report")
CASES = {
    "a function that it reaches": (
        ("len(xs) // 2", "len(xs) // 3"),
        "split will run again, and models.0, models.1, report if given other values; load stays",
    ),
    "its own code, twice": (
        ("sum(xs)", "sum(xs) + 1"),
        "models.0, models.1 will run again, and report if given other values; load, split stay",
    ),
    "what it is called with": (
        ("self.report([best])", "self.report([best, 1])"),
        "report will run again if given other values; load, split, models.0, models.1 stay",
    ),
    "a condition around it": (("best > 3", "best > 4"), "load, split, models.0, models.1, report stay"),
    "what comes after": (("return best", "return best + 1"), "load, split, models.0, models.1, report stay"),
    "another class of the same name": (
        ("self.load, self.split, self.report = Load()", "self.load, self.split, self.report = Train()"),
        "load will run again, and split, models.0, models.1, report if given other values",
    ),
}


def graph(folder: Path, source: str):
    folder.mkdir()
    (folder / "pipeline.py").write_text(source)
    return build_from_file(str(folder / "pipeline.py"), "Pipeline")


@pytest.mark.parametrize("name", CASES)
def test_an_edit_says_what_runs_again(name: str, tmp_path: Path) -> None:
    (old, new), said = CASES[name]
    assert old in SOURCE
    before, after = graph(tmp_path / "a", SOURCE), graph(tmp_path / "b", SOURCE.replace(old, new))
    assert str(stale(after, before.diff(after), STORED)) == said


def test_the_whole_is_stored_too_and_goes_by_its_name(tmp_path: Path) -> None:
    before, after = graph(tmp_path / "a", SOURCE), graph(tmp_path / "b", SOURCE.replace("sum(xs)", "max(xs)"))
    assert stale(after, before.diff(after), ("", "load")) == Stale(("Pipeline",), (), ("load",))
    assert not stale(after, before.diff(after), ())
