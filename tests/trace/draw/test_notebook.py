"""In a notebook an operator, a graph and a run show themselves; a run that goes on is kept up to date."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET

import nbformat
from nbclient import NotebookClient

CELLS = (
    """
import threading
from operator_lib import Operator
gate = threading.Event()

class Wait(Operator):
    def forward(self, x):
        gate.wait(30)
        return x

class Twice(Operator):
    def __init__(self):
        self.first, self.second = Wait(), Wait()
    def forward(self, x):
        return self.second(self.first(x))
op = Twice()
""",
    "op",
    "op.dag()",
    "run = op.submit(1)\nrun",
    "gate.set()\nrun.result()\n[t.join(30) for t in threading.enumerate() if t.name.startswith('show ')]",
)


def test_what_a_notebook_shows(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS])
    jupyter = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind.lower()) for kind in ("RUNTIME", "CONFIG", "DATA")}
    client = NotebookClient(notebook, timeout=60, kernel_name="python3")
    client.execute(cwd=str(tmp_path), env={**os.environ, **jupyter, "IPYTHONDIR": str(tmp_path / "ipython")})
    shown = [cell.outputs[0].data for cell in notebook.cells[1:4]]
    for data in shown:
        ET.fromstring(data["image/svg+xml"])
    assert "first: Wait" in shown[1]["text/plain"]
    assert "COMPLETED" in shown[2]["text/plain"]
    assert shown[2]["text/plain"].count("✔") == 2
    assert shown[2]["image/svg+xml"].count('class="call exact done') == 2


def test_a_run_whose_graph_is_out_of_reach_still_shows_itself():
    from operator_lib.trace.draw.notebook import run_bundle

    class Lost:
        def dag(self):
            raise ConnectionError("no worker")

        def __repr__(self):
            return "<Run 1 RUNNING>"

    assert run_bundle(Lost()) == {"text/plain": "<Run 1 RUNNING>"}
