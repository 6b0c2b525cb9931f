"""One behaviour, many modes: what `cases` does with the programs in `subjects` is done in each of these ways."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parent / "project"
sys.path.insert(0, str(PROJECT))

import running  # noqa: E402
import subjects  # noqa: E402
from cases import Case  # noqa: E402
from inside import inside  # noqa: E402

from operator_lib import Operator  # noqa: E402
from operator_lib.worker import LocalWorker  # noqa: E402

NOTEBOOK = """
import asyncio, json, sys
sys.path.append({cases!r})
import running
from cases import CASES

handles = {{}}

def handle(subject, kind):
    if (subject, kind) not in handles:
        handles[subject, kind] = globals()[subject].deploy(f"notebook-{{subject}}-{{kind}}", kind)
    return handles[subject, kind]
"""

OBSERVE = """
found = CASES[{name!r}]
op = {op}
print(await running.observe_in_loop(found, op, globals().__getitem__))
"""


class Deployments:
    """The programs on a worker, each deployed when it is first asked for."""

    def __init__(self) -> None:
        self._handles: dict[tuple[str, str], Any] = {}

    def handle(self, subject: str, kind: str) -> Any:
        key = subject, kind
        if key not in self._handles:
            self._handles[key] = subjects.find(subject).deploy(f"{subject}-{kind}", kind)
        return self._handles[key]

    def inside(self) -> Any:
        if ("inside", "job") not in self._handles:
            self._handles["inside", "job"] = inside.deploy("inside")
        return self._handles["inside", "job"]


class Elsewhere:
    """A process that has the cases and none of the programs."""

    def __init__(self, folder: Path) -> None:
        for name in ("cases", "running.py", "elsewhere.py"):
            source = PROJECT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
        env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "OPERATOR_LIB_HOME")}
        env["OPERATOR_LIB_HOME"] = str(folder / "no-home")
        self._process = subprocess.Popen(
            [sys.executable, "elsewhere.py"],
            cwd=folder,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def observe(self, case: Case, **where: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"case": case.name, **where}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "failed" not in answer, answer["failed"]
        return answer["seen"]

    def close(self) -> None:
        self._process.communicate()


class Notebook:
    """A kernel in which every module of the programs is a cell."""

    def __init__(self, folder: Path, home: Path) -> None:
        import nbformat
        from nbclient import NotebookClient

        (folder / "work").mkdir()
        shutil.copy(PROJECT / "org_library.py", folder / "work")
        self._new_cell = nbformat.v4.new_code_cell
        self._notebook = nbformat.v4.new_notebook()
        self._client = NotebookClient(self._notebook, kernel_name="python3", timeout=60)
        jupyter = {f"JUPYTER_{kind}_DIR": str(folder / kind.lower()) for kind in ("RUNTIME", "CONFIG", "DATA")}
        env = {**os.environ, **jupyter, "IPYTHONDIR": str(folder / "ipython"), "OPERATOR_LIB_HOME": str(home)}
        self._kernel = self._client.setup_kernel(cwd=str(folder / "work"), env=env)
        self._kernel.__enter__()
        for module in subjects.MODULES:
            self.cell(Path(str(module.__file__)).read_text())
        self.cell(NOTEBOOK.format(cases=str(PROJECT)))

    def cell(self, source: str) -> str:
        """What a cell prints."""
        cell = self._new_cell(source)
        self._notebook.cells.append(cell)
        self._client.execute_cell(cell, len(self._notebook.cells) - 1)
        return "".join(o.text for o in cell.outputs if o.output_type == "stream" and o.name == "stdout")

    def observe(self, case: Case, op: str) -> str:
        return self.cell(OBSERVE.format(name=case.name, op=op)).strip()

    def close(self) -> None:
        self._kernel.__exit__(None, None, None)


@pytest.fixture(scope="session")
def deployments() -> Deployments:
    return Deployments()


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    process = Elsewhere(tmp_path_factory.mktemp("elsewhere"))
    yield process
    process.close()


@pytest.fixture(scope="session")
def notebook(tmp_path_factory: pytest.TempPathFactory, local_worker: LocalWorker) -> Iterator[Notebook]:
    kernel = Notebook(tmp_path_factory.mktemp("notebook"), local_worker.home)
    yield kernel
    kernel.close()


class Modes:
    """Every way to run a case; each returns what it saw, as JSON."""

    def __init__(self, request: pytest.FixtureRequest, worker: LocalWorker) -> None:
        self._request = request
        self._worker = worker

    @property
    def _deployments(self) -> Deployments:
        return self._request.getfixturevalue("deployments")

    def in_process(self, case: Case) -> str:
        return running.observe(case, running.fresh(subjects.find(case.subject)), subjects.find)

    def inside_a_job(self, case: Case) -> str:
        return self._deployments.inside()(case.name)

    def as_job(self, case: Case) -> str:
        return running.observe(case, self._deployments.handle(case.subject, "job"), subjects.find)

    def as_job_from_elsewhere(self, case: Case) -> str:
        self._deployments.handle(case.subject, "job")
        elsewhere: Elsewhere = self._request.getfixturevalue("elsewhere")
        worker = self._worker
        return elsewhere.observe(case, job=f"{case.subject}-job", address=worker.grpc_address, token=worker.token)

    def as_serving(self, case: Case) -> str:
        return running.observe(case, self._deployments.handle(case.subject, "serving"), subjects.find)

    def by_url(self, case: Case) -> str:
        deployed = self._deployments.handle(case.subject, "serving")
        return running.observe(case, Operator.from_serving(deployed.url, deployed.token), subjects.find)

    def by_url_from_elsewhere(self, case: Case) -> str:
        deployed = self._deployments.handle(case.subject, "serving")
        elsewhere: Elsewhere = self._request.getfixturevalue("elsewhere")
        return elsewhere.observe(case, url=deployed.url, token=deployed.token)

    def in_a_notebook(self, case: Case) -> str:
        notebook: Notebook = self._request.getfixturevalue("notebook")
        return notebook.observe(case, f"running.fresh({case.subject})")

    def as_job_from_a_notebook(self, case: Case) -> str:
        notebook: Notebook = self._request.getfixturevalue("notebook")
        return notebook.observe(case, f"handle({case.subject!r}, 'job')")

    def as_serving_from_a_notebook(self, case: Case) -> str:
        notebook: Notebook = self._request.getfixturevalue("notebook")
        return notebook.observe(case, f"handle({case.subject!r}, 'serving')")


@pytest.fixture
def modes(request: pytest.FixtureRequest, worker: LocalWorker) -> Modes:
    return Modes(request, worker)
