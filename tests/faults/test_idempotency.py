"""Saying it twice, and taking it back."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import fault_jobs as jobs
import pytest
from crash import read_lines, told, until

from operator_lib.engine.events import TERMINAL
from operator_lib.errors import Cancelled


@pytest.fixture(autouse=True)
def _worker(shared):
    return shared


def test_the_same_key_is_the_same_run_however_many_say_it(tmp_path):
    counted = jobs.counted.deploy("counted")
    barrier = threading.Barrier(50)

    def trigger(_):
        barrier.wait()
        return counted.job.trigger(str(tmp_path / "e"), "k", 0.1, idempotency_key="one").id

    with ThreadPoolExecutor(50) as pool:
        assert len(set(pool.map(trigger, range(50)))) == 1
    assert counted.job.trigger(str(tmp_path / "e"), "k", 0.1, idempotency_key="one").result(20) == "k"
    assert read_lines(tmp_path / "e") == ["start k", "done k"]


def test_the_same_key_with_other_arguments_is_refused(tmp_path):
    counted = jobs.counted.deploy("counted")
    first = counted.job.trigger(str(tmp_path / "e"), "a", idempotency_key="key")
    with pytest.raises(ValueError, match=f"was used for run {first.id}"):
        counted.job.trigger(str(tmp_path / "e"), "b", idempotency_key="key")
    first.result(20)
    assert not [line for line in read_lines(tmp_path / "e") if line.endswith("b")]


def test_of_many_that_use_a_key_for_different_things_one_wins(tmp_path):
    counted = jobs.counted.deploy("counted")

    def trigger(n):
        try:
            return counted.job.trigger(str(tmp_path / "e"), str(n), idempotency_key="race").id
        except ValueError:
            return None

    with ThreadPoolExecutor(16) as pool:
        won = [found for found in pool.map(trigger, range(16)) if found]
    assert len(won) == 1
    counted.run(won[0]).result(20)
    assert len(read_lines(tmp_path / "e")) == 2


def test_keys_of_two_jobs_have_nothing_to_do_with_each_other(tmp_path):
    runs = [
        jobs.counted.deploy(name).job.trigger(str(tmp_path / name), "x", idempotency_key="same") for name in ("a", "b")
    ]
    assert runs[0].id != runs[1].id
    assert [run.result(20) for run in runs] == ["x", "x"]


def test_every_handle_of_a_run_is_told(tmp_path):
    waits = jobs.waits.deploy("waits")
    first = waits.submit(str(tmp_path / "pid"), 0.3)
    told(tmp_path / "pid")
    others = [waits.run(first.id), *waits.runs(1), waits.run(first.id)]
    assert {handle.id for handle in others} == {first.id}
    assert [handle.result(20) for handle in (first, *others)] == ["rested"] * 4


def test_cancel_before_it_starts(home, tmp_path):
    home.start(max_runs="1")
    first = jobs.waits.deploy("waits").submit(str(tmp_path / "pid"), 600)
    told(tmp_path / "pid")
    second = jobs.counted.deploy("counted").submit(str(tmp_path / "e"), "x")
    assert second.status == "PENDING"
    assert second.cancel()
    with pytest.raises(Cancelled):
        second.result(5)
    first.cancel()
    until(first.done)
    assert jobs.add.deploy("add")(1, 2) == 3
    assert not read_lines(tmp_path / "e")
    assert [event["status"] for event in second.events()] == ["PENDING", "CANCELLED"]


def test_cancel_after_the_end_changes_nothing():
    add = jobs.add.deploy("add")
    run = add.submit(1, 2)
    assert run.result(20) == 3
    assert not run.cancel()
    assert add.run(run.id).status == "COMPLETED"


def test_cancel_races_the_end_and_one_wins(tmp_path):
    counted = jobs.counted.deploy("counted")
    chance = random.Random(7)
    runs = [counted.submit(str(tmp_path / "e"), str(n), 0.02) for n in range(40)]
    for run in runs:
        threading.Timer(chance.uniform(0, 0.5), run.cancel).start()
    until(lambda: all(run.done() for run in runs), 30)
    for n, run in enumerate(runs):
        states = {run.status, counted.run(run.id).status}
        assert len(states) == 1
        story = [event["status"] for event in run.events() if event["kind"] == "status"]
        assert [status for status in story if status in TERMINAL] == [run.status]
        if run.status == "COMPLETED":
            assert run.result() == str(n)
        else:
            assert run.status == "CANCELLED"


def test_a_full_queue_loses_nothing(home, tmp_path):
    home.start(max_runs="2")
    counted = jobs.counted.deploy("counted")
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda n: counted.submit(str(tmp_path / "e"), str(n)), range(200)))
    assert sorted(run.result(60) for run in runs) == sorted(map(str, range(200)))
    assert len(read_lines(tmp_path / "e")) == 400
