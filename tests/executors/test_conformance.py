"""What every executor does for a process, shown of each with a real worker and real processes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import time
from pathlib import Path

import contained
import psutil
import pytest

from operator_lib import Operator
from operator_lib import worker as workers
from operator_lib.client import secrets
from operator_lib.client.connect import connect
from operator_lib.errors import Cancelled, DeployError, OperatorTimeout, OutOfMemory, RemoteError, WorkerDied

KEY = "kept-from-everybody-1"


def until_said(run, text: str) -> None:
    """Wait until the run has printed it."""
    for event in run.events():
        if event["kind"] == "log" and event["text"].startswith(text):
            return
    pytest.fail(f"the run ended without saying {text!r}: {run.exception()}")


def belonging(home: Path, run_id: str = "") -> list[psutil.Process]:
    """Processes on this machine that a worker of `home` has started; with `run_id`, the user's of that run."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            ours = process.environ().get("OPERATOR_LIB_OF") == str(home) and process.status() != psutil.STATUS_ZOMBIE
            if ours and (not run_id or run_id in process.cwd()):
                found.append(process)
    return found


def until_gone(home: Path, run_id: str = "") -> None:
    """Wait until nothing of a worker, or of one of its runs, is there any more."""
    end = time.monotonic() + 10
    while left := belonging(home, run_id):
        assert time.monotonic() < end, f"left: {left}"
        time.sleep(0.02)


def until_removed(home: Path) -> None:
    """Wait until the engine, where there is one, has no container of this worker."""
    label = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    listed = ["docker", "ps", "--all", "--quiet", "--filter", f"label=operator-lib.home={label}"]
    end = time.monotonic() + 10
    while "DOCKER_HOST" in os.environ and subprocess.run(listed, capture_output=True, check=True).stdout:
        assert time.monotonic() < end
        time.sleep(0.05)


class TestRun:
    def test_its_value_and_what_it_prints(self, worker):
        run = contained.add.deploy("add").submit(2, 3)
        assert run.result(60) == 5
        assert list(run.logs()) == ["adding 2 3"]
        events = list(run.events(follow=False))
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert {event["status"] for event in events if event["kind"] == "status"} >= {"RUNNING", "COMPLETED"}

    def test_its_surroundings(self, worker, monkeypatch):
        job = contained.surroundings.deploy("surroundings", environment_variables={"GREETING": "hello, $HOME"})
        run = job.submit()
        seen = run.result(60)
        assert seen["environment"]["GREETING"] == "hello, $HOME"
        assert "OPERATOR_LIB_TOKEN" not in seen["environment"]
        assert seen["data"] == seen["beside"] == "beside the module\n"
        assert "mine" in seen["files"]
        assert seen["uid"] == os.getuid()
        assert Path(seen["temporary"]).is_relative_to(worker.home)
        assert run.id in Path(seen["temporary"]).parts
        end = time.monotonic() + 10
        while Path(seen["temporary"]).exists():
            assert time.monotonic() < end
            time.sleep(0.02)
        lines = sorted(event["text"] for event in run.events(follow=False) if event["kind"] == "log")
        assert lines == ["straight to the file descriptor", "to the other stream"]
        (progress,) = (event for event in run.events(follow=False) if event["kind"] == "progress")
        assert (progress["current"], progress["total"], progress["message"]) == (1, 2, "half")

    def test_a_map(self, worker):
        assert contained.double.deploy("double").map(range(20), workers=2) == [2 * number for number in range(20)]


class TestEnds:
    @pytest.fixture
    def job(self, worker):
        return contained.misbehave.deploy("misbehave", memory=1)

    def test_an_exception(self, job):
        with pytest.raises(KeyError, match="no such key") as raised:
            job("raise")
        assert isinstance(raised.value, RemoteError)
        assert "contained.py" in raised.value.remote_traceback

    @pytest.mark.parametrize(("how", "words"), [("exit", "exit 3"), ("signal", r"killed by signal 15 \(SIGTERM\)")])
    def test_its_own_end(self, job, how, words):
        with pytest.raises(WorkerDied, match=words):
            job(how)

    def test_out_of_memory(self, job):
        with pytest.raises(OutOfMemory, match=r"out of memory \(limit 1 GiB\)"):
            job("memory")
        assert job("nothing") == "nothing"

    def test_cancelled_it_leaves_nothing(self, worker, job):
        run = job.submit("sleep")
        until_said(run, "ready")
        assert belonging(worker.home, run.id)
        run.cancel()
        with pytest.raises(Cancelled):
            run.result(60)
        until_gone(worker.home, run.id)

    def test_its_time_limit(self, worker):
        run = contained.misbehave.with_options(timeout=1).deploy("late").submit("sleep")
        with pytest.raises(OperatorTimeout):
            run.result(60)
        until_gone(worker.home, run.id)

    def test_out_of_disk(self, worker):
        with pytest.raises(WorkerDied, match=r"out of disk \(limit 2 GiB\)"):
            contained.misbehave.deploy("writes", ephemeral_disk=2)("disk")

    def test_the_process_that_watches_over_it_is_killed(self, worker, job):
        run = contained.misbehave.deploy("watched", at_most_once=True).submit("sleep")
        until_said(run, "ready")
        (child,) = (process for process in belonging(worker.home, run.id) if process.name() != "sleep")
        child.parent().kill()
        with pytest.raises(WorkerDied, match="watches over it was killed"):
            run.result(60)
        until_gone(worker.home, run.id)


class TestParts:
    def test_a_child_with_resources_of_its_own(self, worker):
        run = contained.Family().deploy("family").submit(4)
        (value, own, run_id), around = run.result(60)
        assert (value, run_id) == (4, run.id)
        assert Path(own).is_relative_to(Path(around).parent / "parts")  # pids may be those of containers
        until_gone(worker.home, run.id)

    def test_its_limits_are_its_own(self, worker):
        with pytest.raises(OutOfMemory, match=r"limit 2 GiB"):
            contained.Family().deploy("family")(-1)


class TestServing:
    def test_calls_streams_and_what_is_killed(self, worker):
        counter = contained.Counter().deploy("counter", deployment_type="serving")
        assert [counter(1), counter(2)] == [1, 3]
        assert counter.count == 3
        assert list(counter.numbers(1000)) == list(range(1000))
        (replica,) = counter.serving.stats()["replicas"]
        assert replica["id"] in psutil.Process(replica["pid"]).cwd()
        os.kill(replica["pid"], signal.SIGKILL)
        end = time.monotonic() + 60
        while True:  # a new object takes its place
            with contextlib.suppress(Exception):
                if counter.count == 0:
                    break
            assert time.monotonic() < end
            time.sleep(0.05)
        assert counter(5) == 5
        counter.serving.delete()


class TestSecrets:
    def test_only_the_process_has_it(self, worker):
        secrets.put(connect(), "EXECUTOR_KEY", KEY)
        run = contained.keyed.deploy("keyed", secrets=["EXECUTOR_KEY"]).submit()
        assert run.result(60) == {"EXECUTOR_KEY": KEY}
        assert list(run.logs()) == ["the key is ***EXECUTOR_KEY***"]

    def test_nobody_else_sees_it(self, worker, executor):
        secrets.put(connect(), "EXECUTOR_KEY", KEY)
        run = contained.keyed_and_asleep.deploy("asleep", secrets=["EXECUTOR_KEY"]).submit()
        until_said(run, f"ready {len(KEY)}")
        told = [word for process in psutil.process_iter() for word in command_line(process)]
        if executor == "docker":
            listed = subprocess.run(["docker", "ps", "--quiet"], capture_output=True, text=True, check=True).stdout
            inspect = ["docker", "inspect", *listed.split()]
            told.append(subprocess.run(inspect, capture_output=True, text=True, check=True).stdout)
            assert run.id in told[-1]
        files = [path for path in (worker.home / "runs" / run.id).rglob("*") if path.is_file()]
        told += [path.read_bytes().decode(errors="replace") for path in files]
        assert not [text for text in told if KEY in text]
        run.cancel()
        until_gone(worker.home, run.id)


def command_line(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.Error):
        return process.cmdline()
    return []


def test_cards_that_are_not_there(worker):
    with pytest.raises(DeployError, match=r"gpu: asks for NONESUCH, this worker has "):
        contained.add.deploy("with-card", gpu="NONESUCH")


def test_the_worker_is_killed(options, tmp_path):
    home = tmp_path / "home"
    with workers.local(home, **options) as first:
        run = contained.again.deploy("again").submit()
        until_said(run, "ready")
        os.kill(first.pid, signal.SIGKILL)
        until_gone(home)
        until_removed(home)
    with workers.local(home, **options):
        assert Operator.from_job("again").run(run.id).result(60) == 2
