"""An operator as a workflow: what it answers, and why it cannot be one."""

from __future__ import annotations

from pathlib import Path

import exported_project as project
import pytest

from operator_lib.frontends.torchserve import InvalidWorkflow, Workflow


def test_it_answers_as_the_operator_does(tmp_path: Path) -> None:
    op = project.Fits()
    path = Workflow.from_operator(op, name="fits").pack(tmp_path)
    again = Workflow.from_war(path)
    assert again.check() == []
    assert again(5) == op(5) == {"a": 118, "b": 6}
    assert again(bytearray(b"5")) == op(5)
    assert set(again.functions) == {"start", "first", "first_2", "stages_0", "stages_1", "first_3", "pair"}


def test_an_input_may_go_to_several_calls() -> None:
    assert Workflow.from_operator(project.Fans())(1) == {"a": 2, "b": 1}


def test_a_sequence() -> None:
    assert Workflow.from_operator(project.Chain(project.Add(1), project.Add(2)))(0) == 3


@pytest.mark.parametrize(
    ("cls", "words"),
    [
        (project.Code, "code around a call is no part of the format: `y = self.first(x) + 1`"),
        (project.Branch, "a branch is no part of the format"),
        (project.Constant, "the argument `3` is not what another call returned"),
        (project.Two, "y is a second input"),
        (project.Both, "is not what another call returned"),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(cls: type, words: str) -> None:
    with pytest.raises(InvalidWorkflow) as caught:
        Workflow.from_operator(cls())
    found = next(problem for problem in caught.value.problems if words in problem.message)
    lines = Path(project.__file__).read_text().splitlines()
    start = lines.index(f"class {cls.__name__}(Fits):")
    assert found.file.endswith("exported_project.py")
    assert start < found.line <= start + 6
