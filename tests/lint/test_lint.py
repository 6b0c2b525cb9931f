"""`lint` on programs of which it is known what is wrong with them; and `operator-lib lint`."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

from typer.testing import CliRunner

from operator_lib.cli.main import app
from operator_lib.lint import lint
from operator_lib.lint.finding import EXPLAINED

HEAD = "from operator_lib import Operator, operator, Retries\n"


def snippets() -> list[tuple[str, list[str], str]]:
    """Name, expected codes, source."""
    found = []
    for part in (Path(__file__).parent / "snippets.txt").read_text().split("\n=== ")[1:]:
        head, _, body = part.partition("\n")
        name, _, codes = head.partition("|")
        found.append((name.strip(), codes.split(), body))
    return found


def project(folder: Path, number: int, body: str) -> str:
    """The snippet as a module of a folder of its own."""
    folder.mkdir()
    name = f"snippet_{number}"
    (folder / f"{name}.py").write_text(HEAD + body)
    for line in body.splitlines():
        if line.startswith("# requirements:"):
            rows = line.removeprefix("# requirements:").split("  #")[0].split(",")
            (folder / "requirements.txt").write_text("\n".join(row.strip() for row in rows) + "\n")
    return name


def test_precision_and_recall_on_labelled_programs(tmp_path, monkeypatch):
    right = wrong = missed = 0
    told = []
    for number, (name, codes, body) in enumerate(snippets()):
        folder = tmp_path / str(number)
        module = project(folder, number, body)
        monkeypatch.syspath_prepend(folder)
        root = importlib.import_module(module).root
        found = lint(root)
        assert all(one.fix and one.code in EXPLAINED and one.line for one in found), name
        said = {one.code for one in found}
        right += len(said & set(codes))
        wrong += len(said - set(codes))
        missed += len(set(codes) - said)
        if said != set(codes):
            told.append(f"{name}: {codes}, found {[str(one) for one in found]}")
        del sys.modules[module]
    assert right + missed >= 40
    assert right / (right + wrong) >= 0.95, told
    assert right / (right + missed) >= 0.9, told


def test_the_command_says_file_line_code_and_fix(tmp_path, monkeypatch):
    body = "class Root(Operator):\n    def forward(self, x):\n        while True:\n            x += 1\n"
    file = tmp_path / "endless.py"
    file.write_text(HEAD + body)
    monkeypatch.chdir(tmp_path)
    call = CliRunner().invoke
    answer = call(app, ["lint", "endless.py:Root"])
    assert answer.exit_code == 1
    assert "endless.py:4: OP301 while True has no end\n    fix: bound it" in answer.output
    found = json.loads(call(app, ["lint", "endless.py:Root", "--json"]).stdout)
    assert (found["ok"], found["findings"][0]["code"], found["findings"][0]["line"]) == (False, "OP301", 4)
    assert call(app, ["lint", "--explain", "OP301"]).output.startswith("OP301: A loop has no end")
