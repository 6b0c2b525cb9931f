"""What is particular to processes on a Ray cluster: where they are, what they wait for, what becomes of them when a
node dies.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import contained
import pytest
import scattered
from test_conformance import until_said

from operator_lib import Image
from operator_lib import worker as workers
from operator_lib.errors import Cancelled, DeployError

ALL = os.cpu_count() or 1


@pytest.fixture
def worker(clustered, monkeypatch):
    monkeypatch.setenv("OPERATOR_LIB_HOME", str(clustered.home))
    return clustered


def until_told(run, text: str) -> None:
    """Wait until a change of its status is explained so."""
    for event in run.events():
        if event["kind"] == "status" and text in event.get("cause", ""):
            return
    pytest.fail(f"it ended without {text!r}")


def test_what_finds_no_room_waits_and_says_why(worker):
    job = scattered.occupy.deploy("occupy", cpu=ALL)
    first = job.submit()
    until_said(first, "ready")
    second = job.submit()
    until_told(second, f"waits for room in the cluster: asks for {ALL} CPU, free are 0 CPU")
    assert second.status == "PENDING"
    second.cancel()
    with pytest.raises(Cancelled):
        second.result(60)
    third = job.submit()
    first.cancel()
    until_said(third, "ready")
    third.cancel()
    with pytest.raises(Cancelled):
        third.result(60)


def test_what_no_node_has_is_refused(worker):
    with pytest.raises(DeployError, match=rf"cpu: asks for 8, the largest node has {ALL}"):
        scattered.occupy.deploy("too-large", cpu=8)


def test_an_environment_is_built_on_the_node(worker):
    job = contained.surroundings.deploy("built", image=Image(run_commands=["touch built-here"]))
    python = Path(job()["python"])
    assert python.is_relative_to(worker.home / "ray" / "envs")
    assert (python.parents[1] / "built-here").exists()


def test_the_worker_does_not_load_ray(worker):
    assert "_raylet" not in Path(f"/proc/{worker.pid}/maps").read_text()


def test_a_cluster_that_is_not_there(tmp_path):
    absent = workers.local(tmp_path / "home", executor="ray:127.0.0.1:1")
    with pytest.raises(ConnectionError, match=r"--executor: the Ray cluster at 127\.0\.0\.1:1 cannot be used"), absent:
        pass


# --- several nodes ---------------------------------------------------------------------------------------------------


class Nodes:
    """A cluster of them, each with one processor."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self.address = json.loads(process.stdout.readline())["address"]

    def kill(self) -> None:
        """The last one dies."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "killed\n"


@pytest.fixture
def nodes(nothing_is_left, monkeypatch) -> Iterator[Nodes]:
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    command = [sys.executable, str(Path(__file__).with_name("nodes.py")), "2", "1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Nodes(process)
        process.communicate()


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    (tmp_path / "marks").mkdir()
    return tmp_path / "marks"


@pytest.mark.large
@pytest.mark.timeout(600)
def test_a_node_dies_in_a_map_of_a_thousand_items(nodes, marks, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with workers.local(tmp_path / "home", executor=f"ray:{nodes.address}"):
        job = scattered.Where(str(marks)).deploy("where")

        def kill_soon() -> None:
            while len(os.listdir(marks)) < 300:
                time.sleep(0.005)
            nodes.kill()

        killing = threading.Thread(target=kill_soon)
        killing.start()
        found = job.map(range(1000), workers=4)
        killing.join()
    assert [number for number, _ in found] == list(range(1000))
    assert len(Counter(node for _, node in found)) == 2


@pytest.mark.large
@pytest.mark.timeout(600)
def test_a_run_on_a_node_that_dies_goes_on_elsewhere(nodes, marks, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with workers.local(tmp_path / "home", executor=f"ray:{nodes.address}"):
        job = scattered.Patient().deploy("patient")
        runs = [job.submit(str(marks)) for _ in range(2)]
        for run in runs:
            until_said(run, "ready")
        nodes.kill()
        lost = the_lost(runs)
        until_told(lost, "waits for room in the cluster")
        (marks / "go").touch()
        for run in runs:
            first, attempt, seen = run.result(60)
            assert len(seen) == attempt == (2 if run is lost else 1)
        assert len(list(marks.glob("called-*"))) == 2  # by each of them once: the checkpoint came with it
        (marks / "go").unlink()


def the_lost(runs: list) -> Any:
    """The one whose node has died, when that is known."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for run in runs:
            if any("node" in event.get("cause", "") for event in run.events(follow=False)):
                return run
        time.sleep(0.05)
    raise AssertionError("no run has noticed")
