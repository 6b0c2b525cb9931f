from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def unimportable(tmp_path: Path) -> Path:
    """A file that says so when it is imported."""
    file = tmp_path / "flow.py"
    file.write_text(
        "import nowhere_to_be_found\n"
        "from operator_lib import Operator\n"
        "raise SystemExit('imported')\n"
        "class Step(Operator):\n"
        "    def forward(self, x): return x\n"
        "class Flow(Operator):\n"
        "    def __init__(self): self.first, self.second = Step(), Step()\n"
        "    def forward(self, x): return self.second(self.first(x))\n"
    )
    return file


def test_dag_reads_the_source_and_imports_nothing(cli: Any, unimportable: Path) -> None:
    folder = unimportable.parent
    done = cli("dag", "flow.py:Flow", cwd=folder, check=0)
    assert "first: Step" in done.out
    assert "second: Step" in done.out
    assert "\x1b[" not in done.out
    found = cli("dag", "flow.py:Flow", "--json", cwd=folder, check=0).json
    assert [node["operator"] for node in found["nodes"] if node["kind"] == "call"] == ["first", "second"]
    assert [path.name for path in folder.iterdir()] == ["flow.py"]


def test_dag_pictures(cli: Any, unimportable: Path, tmp_path: Path) -> None:
    folder = unimportable.parent
    assert cli("dag", "flow.py:Flow", "--mermaid", cwd=folder, check=0).out.startswith("flowchart")
    assert cli("dag", "flow.py:Flow", "--dot", cwd=folder, check=0).out.startswith("digraph")
    cli("dag", "flow.py:Flow", "--svg", "-o", "flow.svg", cwd=folder, check=0)
    assert "<svg" in (folder / "flow.svg").read_text()


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("pipe.py", "give the file and the operator's name"),
        ("nope.py:Tree", "there is no file 'nope.py'"),
        ("pipe.py:Nope", "pipe.py defines no 'Nope'"),
    ],
)
def test_what_dag_cannot_find_is_wrong_usage(cli: Any, target: str, words: str) -> None:
    done = cli("dag", target, check=2)
    assert words in done.err
    assert done.out == ""


def test_two_forms_at_once(cli: Any) -> None:
    assert "--svg and --dot" in cli("dag", "pipe.py:Tree", "--svg", "--dot", check=2).err


def test_run_calls_the_operator_here(cli: Any) -> None:
    assert cli("run", "pipe.py:job", "2", check=0).out == "importing pipe\nother got 3\n8\n"
    done = cli("run", "pipe.py:job", "x=2", "--json", check=0)
    assert done.json == 8
    assert "other got 3" in done.err


def test_run_takes_text_as_text(cli: Any) -> None:
    assert cli("run", "pipe.py:greet", "42", "times=2", "--json", check=0).json == {"hello": "42", "times": 2}


def test_run_of_a_generator_and_of_a_method(cli: Any) -> None:
    assert cli("run", "pipe.py:upto", "3", check=0).out.split() == ["importing", "pipe", "0", "1", "2"]
    assert cli("run", "pipe.py:Counter", "--method", "add", "by=3", "--json", check=0).json == 3


def test_an_exception_of_the_user_shows_the_users_frames_only(cli: Any) -> None:
    done = cli("run", "pipe.py:job", "-5", check=1)
    assert done.err.splitlines()[0] == "Traceback (most recent call last):"
    assert done.err.splitlines()[-1] == "ValueError: negative: -4"
    assert "operator_lib/" not in done.err
    error = cli("run", "pipe.py:job", "-5", "--json", check=1).json["error"]
    assert (error["type"], error["message"]) == ("ValueError", "negative: -4")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["pipe.py:Tree", "1"], "Tree() needs arguments"),
        (["pipe.py:plain"], "is a function, not an operator; put @operator above it"),
        (["pipe.py:Counter"], "name one of its methods"),
        (["pipe.py:job", "1", "2"], "too many positional arguments"),
        (["pipe.py:job", "--nope"], "no such option: --nope"),
        (["pipe.py:greet", "name=x", "3"], "arguments without a name come first"),
    ],
)
def test_what_cannot_be_run_is_wrong_usage(cli: Any, args: list[str], words: str) -> None:
    done = cli("run", *args, check=2)
    assert words in done.err
    assert "Traceback" not in done.err


def test_a_file_that_cannot_be_imported(cli: Any, unimportable: Path) -> None:
    done = cli("run", "flow.py:Flow", "1", cwd=unimportable.parent, check=1)
    assert done.err.splitlines()[-1] == "ModuleNotFoundError: No module named 'nowhere_to_be_found'"
    assert "importlib" not in done.err


def test_dag_of_json_is_one_document(cli: Any) -> None:
    assert json.loads(cli("dag", "pipe.py:Tree", "--json", check=0).out)["name"] == "Tree"
