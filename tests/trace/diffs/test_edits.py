"""Edits of a project: those that mean something are named with their place, the others are no difference."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from operator_lib.trace import build_from_file

from .changes import CHANGES
from .elsewhere import ELSEWHERE
from .project import FILES
from .same import SAME
from .signatures import SIGNATURES

NAMED = {**CHANGES, **ELSEWHERE, **SIGNATURES}


@pytest.fixture(params=["read", "imported"])
def graph(request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The graph of the project after some replacements in one of its files."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def graph(file: str = "", edits: tuple = ()):
        for name, text in FILES.items():
            for old, new in edits if name == file else ():
                assert old in text
                text = text.replace(old, new)
            (tmp_path / f"{name}.py").write_text(text.lstrip("\n"))
            sys.modules.pop(name, None)
        if request.param == "read":
            return build_from_file(str(tmp_path / "pipeline.py"), "Digits")
        importlib.invalidate_caches()
        return importlib.import_module("pipeline").Digits().dag()

    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield graph
    for name in FILES:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", SAME)
def test_an_edit_without_meaning_is_no_difference(graph, name):
    before, after = graph(), graph(*SAME[name])
    assert str(before.diff(after)) == "no difference"
    assert not before.diff(after)
    assert {n.id for n in before.nodes} == {n.id for n in after.nodes}


@pytest.mark.parametrize("name", NAMED)
def test_an_edit_with_meaning_is_named(graph, name):
    file, edits, lines = NAMED[name]
    before, after = graph(), graph(file, edits)
    assert str(before.diff(after)).splitlines() == lines
    assert before.diff(after).breaking == any(line.startswith("! breaks") for line in lines)


@pytest.mark.parametrize("name", NAMED)
def test_the_way_back_is_a_difference_too(graph, name):
    before, after = graph(*NAMED[name][:2]), graph()
    assert before.diff(after)
    assert not after.diff(after)


def test_there_are_enough_edits_of_both_kinds():
    assert len(SAME) >= 30
    assert len(NAMED) >= 30
