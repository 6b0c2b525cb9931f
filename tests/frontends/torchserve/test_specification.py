"""What a specification says, where it says it, and every mistake with file, line and a way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from operator_lib.frontends.torchserve import InvalidWorkflow, Specification, Workflow

GLOBALS = ["min-workers: 1", "max-workers: 4", "batch-size: 3", "max-batch-delay : 5000", "retry-attempts : 3"]
EXAMPLE = """
models:
{}
    m1:
        url : model1.mar #local or public URI
        min-workers: 1 #override the global params
        max-workers: 2
        batch-size: 4
    m3:
        url : model3.mar
{}
dag:
    pre_processing : [m1]
    m1 : [m3]
    m3 : [postprocessing]
"""


@pytest.mark.parametrize("place", [0, 1], ids=["before the models", "after the models"])
def test_settings_are_merged_wherever_they_stand(place: int) -> None:
    blocks = ["", ""]
    blocks[place] = "\n".join("    " + line for line in [*GLOBALS, "timeout-ms : 5000"])
    spec = Specification.read(EXAMPLE.format(*blocks), "wf.yaml")
    assert spec.problems == ()
    values = {node: [setting.value for setting in spec.effective(node).values()] for node in spec.nodes}
    assert values == {
        "pre_processing": [1, 1, 1, 0, 3, 5000],
        "m1": [1, 2, 4, 5000, 3, 5000],
        "m3": [1, 4, 3, 5000, 3, 5000],
        "postprocessing": [1, 1, 1, 0, 3, 5000],
    }
    lines = spec.text.splitlines()
    own = spec.effective("m1")["batch-size"].origin
    shared = spec.effective("m3")["batch-size"].origin
    assert [lines[int(said.removeprefix("wf.yaml:")) - 1].strip() for said in (own, shared)] == [
        "batch-size: 4",
        "batch-size: 3",
    ]
    assert spec.effective("postprocessing")["batch-size"].origin == "default"


MISTAKES = [
    ("dag:\n  first: [second]\n  second: [third]\n  third: [second]", 4, "second -> third -> second", "remove one"),
    ("dag:\n  first: [first]", 2, "first -> first feeds itself", "remove one"),
    ("dag:\n  first: [lst]", 2, "lst is neither a model nor a function", "did you mean last?"),
    ("dag:\n  first: [last]\n  rows: [last]", 3, "rows is not reachable from the start node first", "one node before"),
    ("dag:\n  first: [last]\n  first: [rows]", 3, "'first' stands here twice, first on line 2", "keep one"),
    ("dag:\n  first: [last, last]", 2, "first feeds last twice", "once"),
    ("dag:\n  first: [1]", 2, "first feeds '1' (int)", "name nodes"),
    ("dag:\n  on: [last]", 2, "reads the name on as bool", 'quote it: "on"'),
    ("dag: {}", 1, "`dag` names no nodes", "feeds"),
    ("nodes: {}\ndag:\n  first: [last]", 1, "`nodes` is not known", "ignored"),
    ("dag:\n  first: [shuot]\nmodels:\n  shuot: {url: shuot.mar}", 4, "there is no 'shuot.mar'", "put the archive"),
    ("dag:\n  first: [m]\nmodels:\n  m: {batch-size: 2}", 4, "m.url is missing", "m.mar"),
    ("dag:\n  first: [m]\nmodels:\n  m: {url: shout.mar, batchsize: 2}", 4, "m.batchsize is not a", "`batch-size`"),
    ("dag:\n  first: [m]\nmodels:\n  m: {url: ../shout.mar}", 4, "leads out of the store", ""),
    ("dag:\n  first: [last]\nmodels:\n  m: {url: shout.mar}", 4, "model m is in no edge", "name it in `dag`"),
    ("dag:\n  first: [last]\nmodels:\n  batch-size: '2'", 4, "must be a whole number, got '2' (str)", "without quotes"),
    ("dag:\n  first: [last]\nmodels:\n  batch-size: 1.5", 4, "must be a whole number, got '1.5' (float)", "requests"),
    ("dag:\n  first: [last]\nmodels:\n  max-workers: 0", 4, "must be at least 1, got 0", "workers at most"),
    ("dag:\n  first: [last]\nmodels:\n  min-workers: 3", 4, "min-workers 3 is more than max-workers 1", "raise"),
    ("dag:\n  first: [last", 3, "this is not YAML", "brackets"),
    ("- first", 1, "the file holds a list", "`models` and `dag`"),
]


@pytest.mark.parametrize(("text", "line", "message", "hint"), MISTAKES, ids=[m[2] for m in MISTAKES])
def test_a_mistake_is_named_with_its_line(
    workflow: Callable[..., Workflow], text: str, line: int, message: str, hint: str
) -> None:
    if "models:" not in text and not text.startswith("-"):
        text += "\nmodels: {}"
    (found,) = [p for p in workflow(text).check() if message in p.message]
    assert (found.file, found.line) == ("wf.yaml", line)
    assert hint in found.hint
    assert str(found).startswith(f"wf.yaml:{line}: {found.severity}: ")


def test_all_mistakes_are_listed_at_once_and_nothing_runs(workflow: Callable[..., Workflow]) -> None:
    found = workflow("models:\n  batch-size: x\n  a: {url: a.mar}\ndag:\n  nope: [a]\n  a: [nope]")
    assert [problem.line for problem in found.check() if problem.severity == "error"] == [2, 3, 5, 6]
    for act in (lambda: found("x"), found.dag, lambda: found.deploy("x"), lambda: found.pack("x.war")):
        with pytest.raises(InvalidWorkflow) as caught:
            act()
        assert len(caught.value.problems) == 4


def test_a_handler_file_is_read_and_not_run(workflow: Callable[..., Workflow], tmp_path: Path, store: Path) -> None:
    handler = tmp_path / "functions.py"
    handler.write_text("raise SystemExit\nclass kind: pass\ndef first(data): pass\n")
    found = workflow("models: {}\ndag:\n  first: [kind]").check()
    assert [(p.file, p.line, p.message) for p in found] == [
        ("wf.yaml", 3, "kind is a class in functions.py, and a node is a function"),
        ("functions.py", 3, "first must take (data, context)"),
    ]
    handler.write_text("def first(:")
    (problem,) = workflow("models: {}\ndag:\n  first: [kind]").check()
    assert (problem.file, problem.line) == ("functions.py", 1)


def test_children_may_be_one_name_or_none(workflow: Callable[..., Workflow]) -> None:
    found = workflow("models:\ndag:\n  first: last\n  last:")
    assert found.check() == []
    assert found("x") == "<x>"
