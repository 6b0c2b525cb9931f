"""A process that takes more memory than it may ends as `OutOfMemory`; nothing else suffers."""

from __future__ import annotations

import os
import sys
import time

import greedy
import pytest
import requests

from operator_lib import operator
from operator_lib.errors import OutOfMemory
from operator_lib.runner import measure

LIMIT = {"memory": "256Mi"}
SAID = r"out of memory \(limit 256 MiB\)"


def test_a_run_that_takes_too_much_is_killed(worker):
    job = greedy.takes.deploy("takes", resource=LIMIT)
    run = job.submit(4000)
    with pytest.raises(OutOfMemory, match=SAID):
        run.result(30)
    assert run.status == "FAILED"
    last = list(run.events(follow=False))[-1]
    assert (last["status"], last["cause"]) == ("FAILED", "killed: out of memory (limit 256 MiB)")
    assert run.attempts == 1


def test_below_the_limit_nothing_happens(worker):
    assert greedy.takes.deploy("takes", resource=LIMIT)(80) == 20


def test_others_go_on(worker, tmp_path):
    beside = greedy.waits.deploy("waits", resource=LIMIT).submit(str(tmp_path / "started"), str(tmp_path / "release"))
    greedy.wait_for(tmp_path / "started")
    pid = worker.pid
    with pytest.raises(OutOfMemory):
        greedy.takes.deploy("takes", resource=LIMIT)(4000)
    (tmp_path / "release").touch()
    assert beside.result(30) == "waited"
    assert worker.pid == pid


def test_a_fast_allocation_is_caught(worker):
    with pytest.raises(OutOfMemory, match=SAID):
        greedy.grabs.deploy("grabs", resource=LIMIT)(8000)


def test_programs_that_it_starts_count_together(worker):
    with pytest.raises(OutOfMemory, match=SAID):
        greedy.starts.deploy("starts", resource=LIMIT)(4, 90)


def test_a_daemon_counts(worker):
    with pytest.raises(OutOfMemory, match=SAID):
        greedy.detaches.deploy("detaches", resource=LIMIT)(400)


def test_what_forks_share_counts_once(worker):
    assert greedy.shares.deploy("shares", resource=LIMIT)(120, 5) == [0] * 5


@pytest.mark.skipif(sys.platform != "linux", reason="there is /proc only there")
def test_a_fork_that_ends_while_the_others_are_looked_at_counts_nothing():
    if (pid := os.fork()) == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has heard of it yet
    try:
        assert measure.exact({pid: 1 << 30, os.getpid(): 1 << 30}) < 1 << 30
    finally:
        os.waitpid(pid, 0)
    assert measure.exact({pid: 1 << 30}) == 0


def test_it_is_tried_again_as_retries_say(worker, tmp_path):
    run = greedy.takes_at_first.deploy("at_first", resource=LIMIT).submit(str(tmp_path / "began"), 1000)
    assert run.result(30) == "modest"
    assert run.attempts == 2


class TestServing:
    def test_the_call_fails_and_the_replica_is_replaced(self, worker):
        hoard = operator(greedy.Hoard).deploy("hoard", resource=LIMIT)
        assert hoard.take(20) == 1
        before = hoard.pid()
        with pytest.raises(OutOfMemory, match=SAID):
            hoard.take(1000)
        leaking = hoard.pid()
        assert leaking != before
        # Call by call, until there is no more. It may be found out between two calls, then none fails.
        died = [call.exception(30) for call in [hoard.take.submit(20) for _ in range(30)]]
        assert all(error is None or isinstance(error, OutOfMemory) for error in died)
        end = time.monotonic() + 10
        while (call := hoard.pid.submit()).exception(30) is not None or call.result() == leaking:
            assert time.monotonic() < end

    def test_a_caller_over_http_is_told(self, worker):
        hoard = operator(greedy.Hoard).deploy("hoard-http", resource=LIMIT)
        shown = {"Authorization": f"Bearer {worker.token}"}
        answer = requests.post(f"{hoard.url}take", json={"mib": 1000}, headers=shown, timeout=30)
        assert answer.status_code == 500
        error = answer.json()["error"]
        assert error["type"] == "OutOfMemory"
        assert "out of memory (limit 256 MiB)" in error["message"]


def test_an_input_of_a_map_fails_as_it_would_alone(worker):
    job = greedy.grabs.deploy("grabs", resource=LIMIT)
    (large,) = job.map([4000], return_exceptions=True)
    assert isinstance(large, OutOfMemory)
    assert "out of memory (limit 256 MiB)" in str(large)
    assert job.map([1, 2]) == [1 << 20, 2 << 20]


def test_a_run_over_http_says_the_cause(worker):
    greedy.takes.deploy("takes", resource=LIMIT)
    shown = {"Authorization": f"Bearer {worker.token}"}
    answer = requests.post(f"{worker.url}/v1/jobs/takes?wait=true", json={"mib": 4000}, headers=shown, timeout=30)
    assert answer.json()["error"]["type"] == "OutOfMemory"
