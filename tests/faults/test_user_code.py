"""User code that fails, crashes, or leaves things behind: the run says why, and nothing else suffers."""

from __future__ import annotations

import os
import signal
import time

import fault_jobs as jobs
import pytest
from crash import gone, parent, read_lines, told, until

from operator_lib import Retries
from operator_lib.errors import Cancelled, OperatorTimeout, RemoteError, WorkerDied


@pytest.fixture(autouse=True)
def _worker(shared):
    return shared


def still_works():
    assert jobs.add.deploy()(1, 2) == 3


def test_an_exception_arrives_as_itself():
    run = jobs.raises.deploy().submit("no good")
    with pytest.raises(ValueError, match="no good") as caught:
        run.result(20)
    assert isinstance(caught.value, RemoteError)
    assert caught.value.run_id == run.id
    assert (run.status, run.attempts) == ("FAILED", 1)
    still_works()


@pytest.mark.parametrize("code", [0, 3, 255])
def test_an_exit_ends_the_run_and_names_the_code(code):
    run = jobs.hard_exit.deploy().submit(code)
    with pytest.raises(WorkerDied, match=f"exit {code}"):
        run.result(20)
    assert run.status == "FAILED"
    assert list(run.logs()) == ["before the end"]
    still_works()


@pytest.mark.parametrize(("code", "shown"), [(4, 4), (0, 0), (None, 0), ("a message", 1)])
def test_sys_exit_is_an_exit(code, shown):
    run = jobs.soft_exit.deploy().submit(code)
    with pytest.raises(WorkerDied, match=f"exit {shown}"):
        run.result(20)
    assert list(run.logs()) == ([code] if isinstance(code, str) else [])


def test_a_segfault_names_the_signal():
    run = jobs.segfault.deploy().submit()
    with pytest.raises(WorkerDied, match="SIGSEGV"):
        run.result(20)
    assert any("fault_jobs.py" in line for line in run.logs()), "no Python stack in the log"
    still_works()


def test_a_kill_from_outside_names_the_signal_and_does_not_claim_to_know_more(tmp_path):
    run = jobs.waits.deploy().submit(str(tmp_path / "pid"))
    os.kill(int(told(tmp_path / "pid")[0]), signal.SIGKILL)
    with pytest.raises(WorkerDied, match="SIGKILL") as caught:
        run.result(20)
    assert "memory" not in str(caught.value)
    assert run.attempts == 1
    still_works()


def test_a_subprocess_ends_with_its_run():
    pid = jobs.leaves_child.deploy()()
    gone(pid)


def test_a_daemon_ends_with_its_run(tmp_path):
    assert jobs.leaves_daemon.deploy()(str(tmp_path / "pid")) == "done"
    gone(int(told(tmp_path / "pid")[0]))


def test_a_daemon_ends_with_a_cancelled_run(tmp_path):
    run = jobs.leaves_daemon.deploy().submit(str(tmp_path / "pid"), 600)
    pid = int(told(tmp_path / "pid")[0])
    run.cancel()
    gone(pid, 4)


def test_cancel_ends_code_that_ignores_sigterm(tmp_path):
    run = jobs.stubborn.deploy().submit(str(tmp_path / "pid"))
    pid = int(told(tmp_path / "pid")[0])
    begun = time.monotonic()
    assert run.cancel()
    with pytest.raises(Cancelled):
        run.result(20)
    assert time.monotonic() - begun < 8
    assert run.status == "CANCELLED"
    gone(pid)


def test_cancel_ends_a_run_that_was_stopped(tmp_path):
    run = jobs.waits.deploy("waits").submit(str(tmp_path / "pid"))
    pid = int(told(tmp_path / "pid")[0])
    os.kill(pid, signal.SIGSTOP)
    assert run.cancel()
    with pytest.raises(Cancelled):
        run.result(20)
    gone(pid)


def test_a_timeout_ends_a_run_that_was_stopped(tmp_path):
    run = jobs.too_slow.deploy().submit(str(tmp_path / "pid"))
    pid = int(told(tmp_path / "pid")[0])
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(OperatorTimeout, match="the limit is 1 s"):
        run.result(20)
    gone(pid)


def test_cancel_while_it_waits_to_be_tried_again(tmp_path):
    later = jobs.exits_at_first.with_options(retries=Retries(2, initial_delay=60, max_delay=60))
    run = later.deploy("later").submit(str(tmp_path / "e"))
    told(tmp_path / "e")
    until(lambda: any(event.get("status") == "PENDING" and event["attempt"] == 1 for event in run.events(follow=False)))
    assert run.cancel()
    with pytest.raises(Cancelled):
        run.result(10)
    assert read_lines(tmp_path / "e") == ["start"]
    assert run.attempts == 1


def test_cancel_ends_a_generator_that_never_ends(tmp_path):
    run = jobs.endless.deploy().submit(str(tmp_path / "pid"))
    pid = int(told(tmp_path / "pid")[0])
    run.cancel()
    with pytest.raises(Cancelled):
        run.result(20)
    gone(pid)


def test_a_timeout_kills_and_names_elapsed_time_and_limit(tmp_path):
    run = jobs.too_slow.deploy().submit(str(tmp_path / "pid"))
    with pytest.raises(OperatorTimeout, match=r"ran for 1\.\d s, the limit is 1 s"):
        run.result(20)
    assert (run.status, run.attempts) == ("TIMEOUT", 1)
    gone(int(told(tmp_path / "pid")[0]))


def test_an_exit_is_tried_again_as_retries_says(tmp_path):
    quick = jobs.exits_at_first.with_options(retries=Retries(2, initial_delay=0.1))
    run = quick.deploy("retried").submit(str(tmp_path / "starts"))
    assert run.result(20) == "at last"
    assert run.attempts == 3
    causes = [event["cause"] for event in run.events(follow=False) if event.get("cause")]
    assert len(causes) == 2
    assert all("exit 9" in cause for cause in causes)


def test_retries_are_not_exceeded(tmp_path):
    once = jobs.exits_at_first.with_options(retries=Retries(1, initial_delay=0))
    run = once.deploy("retried").submit(str(tmp_path / "starts"))
    with pytest.raises(WorkerDied, match="exit 9"):
        run.result(20)
    assert len(told(tmp_path / "starts")) == run.attempts == 2


def test_a_shim_that_is_killed_costs_an_attempt_and_leaves_nothing(tmp_path, shared):
    run = jobs.waits.deploy().submit(str(tmp_path / "pid"), 2)
    pid = int(told(tmp_path / "pid")[0])
    shim = parent(pid)
    os.kill(shim, signal.SIGKILL)
    gone(pid)
    assert run.result(20) == "rested"
    assert run.attempts == 2


def test_user_code_sees_no_secret_and_has_a_place_of_its_own(shared):
    found = jobs.surroundings.deploy()()
    assert shared.token not in str(found)
    assert not [name for name in found["environment"] if name.startswith("OPERATOR_LIB_T")]
    assert found["tmp"].startswith(str(shared.path))
    assert found["cwd"].startswith(str(shared.path))
    assert found["stdin"] == b""
    until(lambda: not os.path.exists(found["tmp"]), 2, "the temporary folder outlived its run")
