"""Beside TorchServe itself, where it is installed: it takes our archives, and both answer alike.

On the PATH: ``torchserve`` of release 0.12.0, with PyTorch, PyYAML and NumPy (``pip install torchserve==0.12.0 torch
pyyaml numpy``, in an environment of its own if you like), and ``java`` of version 17. For exported operators that
environment needs the core dependencies of this library, too; the library itself is taken from here.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import exported_project as project
import pytest
import requests

import operator_lib
from operator_lib.frontends.torchserve import Workflow

from .conftest import CHAIN

Made = Callable[..., Workflow]
# Every node of the original imports PyTorch when it starts.
pytestmark = pytest.mark.timeout(600)

TEXTS = {
    # It calls functions with None when they are loaded, which `last` does not bear.
    "chain": CHAIN.replace("last", "decoding"),
    "join": """
    models:
      shout: {url: shout.mar}
      count: {url: count.mar}
    dag:
      first: [shout, count]
      shout: [rows]
      count: [rows]
    """,
    "skip": "models:\n  shout: {url: shout.mar}\ndag:\n  first: [shout, both]\n  shout: [both]\n",
    "leaves": "models: {}\ndag:\n  first: [kind, rows]\n",
    "models": "models:\n  a: {url: shout.mar}\n  b: {url: count.mar}\ndag:\n  a: [b]\n",
}


@pytest.fixture
def installed() -> tuple[str, dict[str, str]]:
    """The command, and an environment in which its processes find its own Python, and this library."""
    command = shutil.which("torchserve")
    if command is None or shutil.which("java") is None:
        pytest.skip("torchserve and java are not on the PATH")
    # It starts whatever `python` is on the PATH.
    path = os.pathsep.join([str(Path(command).parent), os.environ["PATH"]])
    return command, {**os.environ, "PATH": path, "PYTHONPATH": str(Path(operator_lib.__file__).parent.parent)}


@pytest.fixture
def server(
    installed: tuple[str, dict[str, str]], store: Path, tmp_path: Path
) -> Iterator[Callable[[Path], requests.Response]]:
    """A server without workflows; registers an archive and sends it one request."""
    command, environment = installed
    inference, management, *others = _ports(5)
    names = ("inference_address", "management_address", "metrics_address")
    lines = [f"{n}=http://127.0.0.1:{p}" for n, p in zip(names, (inference, management, others[0]), strict=True)]
    lines += [f"grpc_inference_port={others[1]}", f"grpc_management_port={others[2]}", "default_workers_per_model=1"]
    (tmp_path / "config").write_text("\n".join(lines))
    folder = tmp_path / "wars"
    folder.mkdir()
    places = dict.fromkeys(("TMPDIR", "TEMP", "LOG_LOCATION", "METRICS_LOCATION"), str(tmp_path))
    flags = ["--start", "--foreground", "--ncs", "--disable-token-auth", "--ts-config", str(tmp_path / "config")]
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen(
            [command, *flags, "--model-store", str(store), "--workflow-store", str(folder)],
            env={**environment, **places}, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        _wait(management, process)

        def ask(path: Path) -> requests.Response:
            shutil.copy(path, folder)
            registered = requests.post(f"http://127.0.0.1:{management}/workflows?url={path.name}", timeout=300)
            assert registered.status_code == 200, registered.text
            kind = {"Content-Type": "application/octet-stream"}
            return requests.post(f"http://127.0.0.1:{inference}/wfpredict/{path.stem}", b"5", headers=kind, timeout=60)

        yield ask
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def _ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.1)  # a Java program says nowhere else that it listens
    raise RuntimeError("torchserve did not start")


def test_it_takes_our_archives_and_both_answer_alike(
    server: Callable[..., requests.Response], workflow: Made, tmp_path: Path
) -> None:
    for name, text in TEXTS.items():
        ours = workflow(text, name=name, hand_over="bytes")
        theirs = server(ours.pack(tmp_path))
        assert theirs.status_code == 200, theirs.text
        here = ours(bytearray(b"5"))
        assert (here if isinstance(here, str) else theirs.json()) == (theirs.text if isinstance(here, str) else here)


def test_it_runs_an_exported_operator(
    installed: tuple[str, dict[str, str]], server: Callable[..., requests.Response], tmp_path: Path
) -> None:
    run = ["python", "-c", "import operator_lib.frontends.torchserve"]
    missing = subprocess.run(run, env=installed[1], capture_output=True, text=True, timeout=60)
    if missing.returncode:
        pytest.skip(f"the environment of torchserve lacks what this library needs: {missing.stderr.splitlines()[-1]}")
    assert server(Workflow.from_operator(project.Fits(), name="fits").pack(tmp_path)).json() == project.Fits()(5)
