"""kill -9 of the worker, at every moment: nothing accepted is lost, nothing outlives it."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from concurrent.futures import wait

import fault_jobs as jobs
import fault_servings as servings
import pytest
from crash import Raw, gone, parent, read_lines, told, until

from operator_lib.errors import WorkerDied
from operator_lib.wire.proto import runs_pb2

# Kills in the long test, and runs they are to hit.
KILLS, RUNS = 8, 40


def test_runs_that_were_going_on_and_waiting_all_end_and_finished_ones_stay(home, tmp_path):
    home.start(max_runs="3")
    counted = jobs.counted.deploy("counted")
    finished = [counted.submit(str(tmp_path / "f"), f"f{n}") for n in range(3)]
    assert [run.result(20) for run in finished] == ["f0", "f1", "f2"]
    open_runs = [counted.submit(str(tmp_path / "o"), f"o{n}", 0.5) for n in range(9)]
    told(tmp_path / "o", 2)
    before = home.processes()
    home.kill()
    for pid in before:
        gone(pid)
    home.start()
    assert [run.result(30) for run in open_runs] == [f"o{n}" for n in range(9)]  # by themselves: nobody asked again
    assert [counted.run(run.id).result(10) for run in finished] == ["f0", "f1", "f2"]
    assert len(read_lines(tmp_path / "f")) == 6, "a finished run was run again"
    done = Counter(line for line in read_lines(tmp_path / "o") if line.startswith("done"))
    assert done == Counter(f"done o{n}" for n in range(9))
    again = [run for run in open_runs if run.attempts == 2]
    assert 1 <= len(again) <= 3
    causes = [event.get("cause") for event in again[0].events() if event["kind"] == "status"]
    assert "worker restarted" in causes
    sequence = [event["seq"] for event in again[0].events()]
    assert sequence == list(range(1, len(sequence) + 1))


def test_kills_at_random_moments_lose_nothing(home, tmp_path):
    seed = int(os.environ.get("FAULT_SEED", random.randrange(1 << 30)))
    print("FAULT_SEED", seed)
    chance = random.Random(seed)
    home.start(max_runs="8")
    counted = jobs.counted.deploy("counted")
    path = tmp_path / "effects"
    runs = {}
    for kill in range(KILLS):
        for n in range(RUNS // KILLS):
            key = f"{kill}.{n}"
            runs[key] = counted.submit(str(path), key, chance.choice([0, 0.02, 0.1]))
        time.sleep(chance.uniform(0, 0.25))
        home.restart()
    wait(runs.values(), 60)
    effects = Counter(read_lines(path))
    for key, run in runs.items():
        stored = counted.run(run.id)
        assert run.done(), f"{key} hangs"
        assert stored.status in ("COMPLETED", "FAILED")
        if stored.status == "COMPLETED":
            assert run.result() == key
            assert effects[f"done {key}"] >= 1
        else:
            with pytest.raises(WorkerDied, match="the worker died 3 times"):
                run.result()
        assert effects[f"start {key}"] <= run.attempts <= 3
        assert effects[f"done {key}"] <= effects[f"start {key}"]
    lost = [key for key, run in runs.items() if run.exception() is not None]
    assert len(lost) < RUNS // 2, "most of so many short runs are not cut off three times"


def test_an_outcome_that_was_not_recorded_is_adopted(worker, tmp_path):
    path = tmp_path / "effects"
    run = jobs.counted.deploy("counted").submit(str(path), "a", 0.5)
    told(path, 1)
    worker.signal(signal.SIGSTOP)
    told(path, 2)
    until(lambda: len(worker.busy()) == 1)  # the run's processes have ended
    worker.kill()
    worker.start()
    assert run.result(20) == "a"
    assert read_lines(path) == ["start a", "done a"]
    assert run.attempts == 1


def test_a_failure_that_was_not_recorded_is_adopted(worker):
    raises = jobs.raises.deploy("raises")
    worker.signal(signal.SIGSTOP)
    worker.signal(signal.SIGCONT)
    run = raises.submit("for good")
    with pytest.raises(ValueError, match="for good"):
        run.result(20)
    worker.restart()
    with pytest.raises(ValueError, match="for good"):
        raises.run(run.id).result(20)


def test_at_most_once_means_it(worker, tmp_path):
    run = jobs.only_once.deploy("once").submit(str(tmp_path / "starts"))
    pid = int(told(tmp_path / "starts")[0])
    worker.restart()
    with pytest.raises(WorkerDied, match="worker restarted"):
        run.result(20)
    assert run.attempts == 1
    gone(pid)
    assert len(read_lines(tmp_path / "starts")) == 1


def test_three_cuts_set_a_run_aside_and_the_queue_goes_on(worker, tmp_path):
    run = jobs.waits.deploy("waits").submit(str(tmp_path / "starts"))
    for cut in range(1, 4):
        told(tmp_path / "starts", cut)
        worker.restart()
    with pytest.raises(WorkerDied, match="the worker died 3 times while it ran"):
        run.result(20)
    assert len(read_lines(tmp_path / "starts")) == 3
    assert jobs.add.deploy("add")(1, 2) == 3


def test_a_cancel_survives(worker, tmp_path):
    run = jobs.stubborn.deploy("stubborn").submit(str(tmp_path / "pid"))
    told(tmp_path / "pid")
    run.cancel()
    worker.restart()
    until(run.done, 20)
    assert run.status == "CANCELLED"


def test_servings_come_back_with_their_address_and_token(worker):
    counter = servings.Counter(7).deploy("counter")
    assert counter.add() == 8
    url, pid = counter.url, counter.pid()
    worker.kill()
    gone(pid)
    worker.start()
    assert counter.add() == 8, "a new object, made as it was deployed"
    from operator_lib import Operator

    assert Operator.from_serving(url, counter.token).add(2) == 10


def test_a_serving_that_cannot_come_back_says_why(worker, tmp_path):
    (tmp_path / "model").touch()
    fragile = servings.Fragile(str(tmp_path / "model")).deploy("fragile")
    (tmp_path / "model").unlink()
    worker.restart()
    with pytest.raises(RuntimeError, match="the model is not there"):
        fragile.ping()
    assert fragile.serving.stats()["status"] == "degraded"
    (tmp_path / "model").touch()
    until(lambda: fragile.serving.stats()["status"] == "ready", 20)
    assert fragile.ping() == "pong"


def test_a_daemon_of_a_run_ends_with_the_worker(worker, tmp_path):
    jobs.leaves_daemon.deploy("daemon").submit(str(tmp_path / "pid"), 600)
    pid = int(told(tmp_path / "pid")[0])
    worker.kill()
    gone(pid)


def test_what_a_dead_worker_and_its_dead_shim_left_is_cleared_up_at_the_next_start(worker, tmp_path):
    run = jobs.waits.deploy("waits").submit(str(tmp_path / "pid"), 1)
    pid = int(told(tmp_path / "pid")[0])
    shim = parent(pid)
    os.kill(shim, signal.SIGSTOP)
    worker.kill()
    os.kill(shim, signal.SIGKILL)
    worker.start()
    gone(pid)
    assert run.result(20) == "rested"


def test_a_submit_that_was_answered_is_there_whatever_happens_next(worker, tmp_path):
    counted = jobs.counted.deploy("counted")
    accepted = []
    for round_ in range(2):  # three cuts would set a run aside
        accepted += [counted.submit(str(tmp_path / "e"), f"{round_}.{n}").id for n in range(10)]
        worker.restart()
    with Raw(worker) as raw:
        for run_id in accepted:
            state = raw.runs.Get(runs_pb2.GetRunRequest(run_id=run_id), metadata=raw.metadata)
            assert state.id == run_id
    until(lambda: all(counted.run(run_id).status == "COMPLETED" for run_id in accepted), 30)
