"""`submit` and `map` of operators that are not deployed: in a process beside the program when an option needs one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import wait
from pathlib import Path

import beside
import pytest

from operator_lib import operator
from operator_lib.errors import Cancelled, OperatorTimeout, OptionError, OutOfMemory, SerializationError, WorkerDied


def gone(pid):
    end = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < end, f"process {pid} is still there"
        time.sleep(0.01)


def test_it_is_another_process_with_this_surrounding(capfd):
    run = beside.where.submit("here")
    pid, folder, temporary = run.result(30)
    assert pid != os.getpid()
    assert folder == os.getcwd()
    assert not Path(temporary).exists(), "what is private to it is gone with it"
    assert list(run.logs()) == ["in here"]
    assert "in here" in capfd.readouterr().out
    statuses = [event["status"] for event in run.events() if event["kind"] == "status"]
    assert statuses == ["PENDING", "RUNNING", "COMPLETED"]
    assert [node.status for node in run.dag().nodes if node.kind == "return"] == ["done"]
    gone(pid)


def test_without_such_options_it_is_a_thread():
    plain = operator(lambda: os.getpid())
    assert plain.submit().result(30) == os.getpid()


class TestLimits:
    def test_a_time_limit(self):
        run = beside.hangs.submit("c")
        with pytest.raises(OperatorTimeout, match=rf"^run {run.id} of hangs: ran for 1\.\d s, the limit is 1 s$"):
            run.result(30)
        assert (run.status, run.attempts) == ("TIMEOUT", 1)

    def test_that_of_a_child_can_be_caught(self):
        run = beside.Catches().submit(60)
        assert run.result(30).startswith("kid ran for 1.")

    def test_memory(self):
        run = beside.takes.submit(900)
        with pytest.raises(OutOfMemory, match=r"killed: out of memory \(limit 256 MiB\)"):
            run.result(60)
        assert run.status == "FAILED"

    def test_disk(self):
        with pytest.raises(WorkerDied, match=r"killed: out of disk \(limit 64 MiB\)"):
            beside.writes.submit(3000).result(60)

    def test_a_child_with_resources_of_its_own_has_a_process_more(self):
        around, inner = beside.Outer().submit().result(30)
        assert len({os.getpid(), around, inner}) == 3

    def test_a_card_that_is_not_there(self):
        with pytest.raises(OptionError, match=r"where.gpu: asks for NONESUCH, this machine has "):
            beside.where.with_options(gpu="NONESUCH").submit().result(30)


class TestEnds:
    def test_exceptions_arrive(self):
        error = beside.where.submit("raise").exception(30)
        assert isinstance(error, beside.Refused)
        assert error.args == ("no", 3)

    def test_an_exit_is_said(self):
        with pytest.raises(WorkerDied, match="exit 3"):
            beside.where.submit("exit").result(30)

    def test_retries_start_another_process_with_the_state_of_the_first(self):
        run = beside.at_last.submit()
        assert run.result(30) == (2, 2)
        assert run.attempts == 2
        assert [event["current"] for event in run.events() if event["kind"] == "progress"] == [1, 2]

    def test_cancel_kills(self, tmp_path):
        run = beside.where.submit("wait", str(tmp_path / "pid"))
        pid = started(tmp_path / "pid")
        assert run.cancel()
        wait([run], timeout=30)
        with pytest.raises(Cancelled):
            run.result()
        assert run.status == "CANCELLED"
        gone(pid)


class TestValues:
    def test_classes_and_functions_of_the_caller(self):
        class Point:
            def __init__(self, x):
                self.x = x

        moved = operator(lambda point, by: Point(by(point.x)), timeout=60)
        point = moved.submit(Point(1), lambda x: x + 1).result(30)
        assert type(point) is Point
        assert point.x == 2

    def test_coroutines_and_generators(self):
        assert beside.later.submit(1).result(30) == 2
        assert list(beside.items.submit(3).result(30)) == [0, 1, 2]

    def test_what_cannot_be_sent_is_refused_at_once(self):
        with pytest.raises(SerializationError, match="arguments of where cannot be sent to a process of its own"):
            beside.where.submit(threading.Lock())

    def test_variables(self, monkeypatch):
        with pytest.raises(OptionError, match=r"told.environment_variables: SHAPE has no value"):
            beside.told.submit()
        monkeypatch.setenv("SHAPE", "round")
        assert beside.told.submit().result(30) == ("green", "round")


def test_a_map_has_processes_too():
    found = beside.where.map(["a", "raise", "exit", "b"], workers=2, return_exceptions=True)
    assert [type(item).__name__ for item in found[1:3]] == ["Refused", "WorkerDied"]
    assert len({os.getpid(), found[0][0], found[3][0]}) == 3


def started(path):
    """The process id that a program has written down."""
    end = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    return int(path.read_text())


PROGRAM = """
import os, signal, sys, threading, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever has started the tests may ignore it
sys.path.insert(0, {project!r})
import beside

run = beside.where.submit("wait", sys.argv[1])
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
if "fork" in sys.argv and os.fork() == 0:
    time.sleep(2)
    os._exit(0)
try:
    threading.Timer(0.3, print, ["waiting"], {{"flush": True}}).start()  # once it does
    run.result()
except KeyboardInterrupt:
    print("interrupted", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("how", ["killed", "killed after a fork", "interrupted"])
def test_it_ends_with_the_program(tmp_path, how):
    folder = tmp_path / "temporary"
    folder.mkdir()
    command = [sys.executable, "-c", PROGRAM.format(project=str(Path(beside.__file__).parent)), str(tmp_path / "pid")]
    with subprocess.Popen(
        [*command, *(["fork"] if "fork" in how else [])],
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(folder)},
        text=True,
    ) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "waiting\n"
            pid = int((tmp_path / "pid").read_text())
            if how == "interrupted":
                running.send_signal(signal.SIGINT)
                assert running.stdout.readline() == "interrupted\n"
            else:
                running.kill()
            gone(pid)
        finally:
            running.kill()
            with contextlib.suppress(OSError):
                running.stdout.close()
