"""Replicas that die: the calls in flight say why, the next one works."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import fault_servings as servings
import pytest
from crash import gone, until

from operator_lib.errors import DeployError, WorkerDied


@pytest.fixture(autouse=True)
def _worker(shared):
    return shared


def kill(handle):
    """Kill its only replica, and wait until it is gone."""
    pid = handle.serving.stats()["replicas"][0]["pid"]
    os.kill(pid, signal.SIGKILL)
    gone(pid)
    return pid


def test_death_between_two_calls_is_not_noticed():
    counter = servings.Counter.deploy("between")
    assert counter.add() == 1
    before = kill(counter)
    assert counter.add() == 1, "the new object starts anew"
    assert counter.pid() != before


def test_death_during_calls_fails_those_with_the_cause_and_no_others(tmp_path):
    wide = servings.Wide.deploy("during")
    pid = wide.pid()
    calls = [wide.slow.submit(600) for _ in range(5)]
    assert wide.pid() == pid  # the calls before it have been sent
    os.kill(pid, signal.SIGKILL)
    for call in calls:
        with pytest.raises(WorkerDied, match="SIGKILL"):
            call.result(20)
    assert wide.pid() != pid


def test_a_replica_that_exits_says_so():
    counter = servings.Counter.deploy("exits")
    with pytest.raises(WorkerDied, match="exit 3"):
        counter.end(3)
    assert counter.add() == 1


def test_a_constructor_that_fails_leaves_the_old_version_serving():
    tagged = servings.Tagged(1).deploy("kept")
    with pytest.raises(DeployError, match="the model is not there") as caught:
        servings.Broken("raise").deploy("kept")
    assert "__remote_init__" in "".join(map(str, [caught.value.__cause__.__cause__ or caught.value.__cause__]))
    assert tagged.answer(5) == [1, 5, 1]
    versions = tagged.serving.versions()
    assert [(v["status"], v["live"]) for v in versions] == [("ready", True), ("failed", False)]


def test_a_constructor_that_exits_fails_the_deploy_with_the_code():
    with pytest.raises(DeployError, match="exit 5"):
        servings.Broken("exit").deploy("stillborn")


def test_a_crash_loop_slows_down_and_calls_fail_at_once_with_the_cause(tmp_path):
    path = tmp_path / "model"
    path.touch()
    fragile = servings.Fragile(str(path)).deploy("loop")
    assert fragile.ping() == "pong"
    path.unlink()
    kill(fragile)
    starts = tmp_path / "model.starts"
    until(lambda: len(starts.read_text().split()) >= 4)
    begun = time.monotonic()
    with pytest.raises(RuntimeError, match="the model is not there"):
        fragile.ping()
    assert time.monotonic() - begun < 2
    assert fragile.serving.stats()["status"] == "degraded"
    times = [float(word) for word in starts.read_text().split()][1:]
    pauses = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    assert pauses[-1] > 0.4, "no pause between the starts"
    path.touch()
    until(lambda: fragile.serving.stats()["status"] == "ready", 20)
    assert fragile.ping() == "pong"


def test_calls_go_on_after_many_deaths():
    wide = servings.Wide.deploy("many")
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            pid = wide.pid()
            threading.Timer(0.05, os.kill, (pid, signal.SIGKILL)).start()
            calls = [pool.submit(wide.slow, 0.3) for _ in range(4)]
            for call in calls:
                died = call.exception(30)
                assert died is None or (isinstance(died, WorkerDied) and "SIGKILL" in str(died))
    assert wide.slow(0) == "slept"
