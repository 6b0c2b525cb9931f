"""The notebooks run from top to bottom, and are committed without what they have shown somebody."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from operator_lib import worker as workers

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


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


def run(path: Path, tmp_path: Path) -> Any:
    """The notebook with its outputs; `work` is the folder that it is in."""
    folder = tmp_path / "work"
    folder.mkdir()
    notebook = read(path)
    client = NotebookClient(notebook, timeout=60, kernel_name="python3")
    jupyter = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind.lower()) for kind in ("RUNTIME", "CONFIG", "DATA")}
    with workers.local(tmp_path / "home"):
        client.execute(cwd=str(folder), env={**os.environ, **jupyter, "IPYTHONDIR": str(tmp_path / "ipython")})
    assert list(folder.iterdir()) == [], "something was written into the user's folder"
    return notebook


def outputs(notebook: Any, source: str) -> list[Any]:
    """Of the cell that holds this source."""
    return next(cell.outputs for cell in notebook.cells if cell.cell_type == "code" and source in cell.source)


def test_quickstart(tmp_path: Path) -> None:
    notebook = run(NOTEBOOKS[0], tmp_path)
    assert NOTEBOOKS[0].name == "quickstart.ipynb"
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
