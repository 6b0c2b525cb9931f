"""In a notebook things show themselves, runs and maps say how far they are, and an interrupted cell leaves nothing."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from operator_lib import worker as workers
from operator_lib.notebook.runs import run_bundle

CELLS = {
    "define": """
import os, signal, threading, time
from operator_lib import Operator, operator
gate = threading.Event()

class Wait(Operator):
    def forward(self, x: int) -> int:
        gate.wait(30)
        return x

class Twice(Operator):
    def __init__(self):
        self.first, self.second = Wait(), Wait()
    def forward(self, x: int) -> int:
        return self.second(self.first(x))

class Half(Operator):
    def forward(self, x: int) -> int:
        if x % 2:
            raise ValueError(f"{x} is odd")
        return x // 2

class Halves(Operator):
    'Two <b>halves</b>.'
    def __init__(self):
        self.half = Half()
    def forward(self, x: int, pause: float = 0.0) -> dict:
        print("<script>begun</script>", flush=True)
        time.sleep(pause)
        return {"x": x, "half": self.half(x)}

@operator
class Sum:
    'Adds up.'
    def __init__(self):
        self.total = 0
    def add(self, n: int = 1) -> int:
        self.total += n
        return self.total

def interrupt():  # what the button does
    os.kill(os.getpid(), signal.SIGINT)
""",
    "operator": "op = Twice()\nop",
    "graph": "op.dag()",
    "live": "run = op.submit(1)\nrun",
    "done": "gate.set()\nrun.result()\n[t.join(30) for t in threading.enumerate() if t.name.startswith('show ')]",
    "job": "job = Halves().deploy('halves')\njob(4)\njob",
    "plan": "Halves().with_options(retries=2).deploy('halves', dry_run=True)",
    "error": "job(3)",
    "failed run": "job.runs()[0]",
    "runs": "job.runs()",
    "versions": "job.versions()",
    "schedule": "job.job.schedule('@daily', inputs={'x': 2})",
    "map": "type(job.map([2]))",
    "bar": "local = operator(lambda x: time.sleep(0.2) or x).map(range(10), workers=2)",
    "serving": "total = Sum.deploy('total')\ntotal.add(2)\ntotal",
    "latched": "Operator.from_serving(total.url, total.token)",
    "interrupt a call": """
def when_begun():
    known = {run.id for run in job.runs()}
    while not (new := [run for run in job.runs() if run.id not in known]):
        pass
    next(new[0].logs(follow=True))
    interrupt()
threading.Thread(target=when_begun).start()
try:
    job(2, pause=60)
except KeyboardInterrupt:
    try:
        job.runs()[0].result(30)
    except Exception as error:
        print(type(error).__name__)
""",
    "interrupt a map": """
def inputs():
    yield 2
    interrupt()
    while True:
        yield 2
try:
    job.map(inputs())
except KeyboardInterrupt:
    print(job(2), job.map([2, 4]))
""",
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: Any) -> dict[str, list[Any]]:
    """The outputs of each cell."""
    folder = tmp_path_factory.mktemp("notebook")
    cells = [nbformat.v4.new_code_cell(text) for text in CELLS.values()]
    client = NotebookClient(nbformat.v4.new_notebook(cells=cells), timeout=60, kernel_name="python3", allow_errors=True)
    jupyter = {f"JUPYTER_{kind}_DIR": str(folder / kind.lower()) for kind in ("RUNTIME", "CONFIG", "DATA")}
    (folder / "work").mkdir()
    with workers.local(folder / "home"):
        client.execute(cwd=str(folder / "work"), env={**os.environ, **jupyter, "IPYTHONDIR": str(folder / "ipython")})
    outputs = dict(zip(CELLS, (cell.outputs for cell in cells), strict=True))
    failed = {name: made for name, made in outputs.items() for out in made if out.output_type == "error"}
    assert list(failed) == ["error"], [out.get("evalue") for made in failed.values() for out in made]
    return outputs


def words(html: str) -> str:
    """What a reader sees of it."""
    return " ".join(re.sub(r"<svg.*?</svg>|<[^>]*>", " ", html, flags=re.DOTALL).split())


def test_operators_and_graphs_are_pictures(shown: dict[str, list[Any]]) -> None:
    for name in ("operator", "graph", "live"):
        ET.fromstring(shown[name][0].data["image/svg+xml"])
    assert "first: Wait" in shown["graph"][0].data["text/plain"]


def test_a_run_that_goes_on_is_kept_up_to_date(shown: dict[str, list[Any]]) -> None:
    data = shown["live"][0].data
    assert "COMPLETED" in data["text/plain"]
    assert data["text/plain"].count("✔") == 2
    assert data["text/html"].count('class="call exact done') == 2
    assert "COMPLETED" in words(data["text/html"])


def test_handles_say_what_they_are_called_with_and_what_they_have_done(shown: dict[str, list[Any]]) -> None:
    seen = words(shown["job"][0].data["text/html"])
    assert "job halves ready version 1" in seen
    assert "(x: int, pause: float = 0.0) -&gt; dict" in seen
    assert "COMPLETED" in seen
    assert "graph: 1 calls" in seen
    serving = words(shown["serving"][0].data["text/html"])
    assert "serving total ready version 1" in serving
    assert "1 replica, 1 calls" in serving
    assert "add(n: int = 1) -&gt; int" in serving
    assert "add(n: int = 1)" in words(shown["latched"][0].data["text/html"])


def test_what_users_write_is_text(shown: dict[str, list[Any]]) -> None:
    assert "Two &lt;b&gt;halves&lt;/b&gt;." in shown["job"][0].data["text/html"]
    run = shown["failed run"][0].data["text/html"]
    assert "&lt;script&gt;begun&lt;/script&gt;" in run
    assert "<script" not in run
    assert "half: ValueError(&#x27;3 is odd&#x27;)" in words(run)


def test_plans_versions_schedules_and_runs_are_tables(shown: dict[str, list[Any]]) -> None:
    plan = shown["plan"][0].data
    assert "retries none → 2" in words(plan["text/html"])
    assert "retries none → 2" in plan["text/plain"]
    for name, seen in (("runs", "FAILED"), ("versions", "live"), ("schedule", "@daily UTC")):
        assert seen in words(shown[name][0].data["text/html"])


def test_a_map_has_a_bar_and_gives_a_list_as_everywhere(shown: dict[str, list[Any]]) -> None:
    assert shown["map"][-1].data["text/plain"] == "list"
    (bar,) = shown["bar"]
    assert re.fullmatch(r"map 10 of 10 \d\.\d s", words(bar.data["text/html"]))


def test_an_error_shows_the_cells_and_the_next_step(shown: dict[str, list[Any]]) -> None:
    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(shown["error"][0].traceback))
    assert re.search(r"Cell In\[1\], line \d+, in forward\n +raise ValueError", text)
    assert "----> 1 job(3)" in text
    assert "operator_lib" not in text.partition("Run ")[0]
    assert re.search(r"Run \w+ stopped at half\..*\n +job\.run\('\w+'\)\.replay\(\)", text)


def test_an_interrupted_cell_cancels_what_it_waited_for(shown: dict[str, list[Any]]) -> None:
    assert shown["interrupt a call"][0].text.startswith("RunCancelled")
    assert shown["interrupt a map"][-1].text.endswith("[{'x': 2, 'half': 1}, {'x': 4, 'half': 2}]\n")


def test_a_run_whose_worker_is_out_of_reach_still_shows_itself() -> None:
    class Lost:
        def events(self, follow: bool, after: int) -> Any:
            raise ConnectionError("no worker")

        def __repr__(self) -> str:
            return "<Run 1 RUNNING>"

    assert run_bundle(Lost()) == {"text/plain": "<Run 1 RUNNING>"}
