"""The process of a run is killed; resumed, the run has the result that it would have had, and does nothing twice."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter

import pipelines
import pytest
from crash import read_lines, told

from operator_lib.engine.process import CHECKPOINTS
from operator_lib.errors import WorkerDied

STEPS = 4
RESULT = 27  # of the pipeline of four steps
BODIES = [f"step {n}" for n in range(STEPS)]


def killed(effects, job, *args):
    """A run that was killed where it waits for that."""
    run = job.submit(effects, *args)
    os.kill(int(told(f"{effects}.pid")[0]), signal.SIGKILL)
    with pytest.raises(WorkerDied, match="SIGKILL"):
        run.result(20)
    assert run.status == "FAILED"
    return run


def said(run, text):
    return [line for line in run.logs() if text in line]


@pytest.mark.parametrize("node", range(STEPS + 1))
def test_killed_at_any_node_every_body_runs_once(shared, effects, node):
    run = killed(effects, pipelines.Pipeline(STEPS).deploy("pipeline"), node)
    assert read_lines(effects) == BODIES[:node]
    assert run.resume().result(20) == RESULT
    assert read_lines(effects) == BODIES
    assert (run.status, run.attempts) == ("COMPLETED", 2)
    events = list(run.events())
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [e["status"] for e in events if e["kind"] == "status"] == [
        *("PENDING", "RUNNING", "FAILED", "PENDING", "RUNNING", "COMPLETED")
    ]
    assert [e["path"] for e in events if e.get("phase") == "cached"] == [f"steps.{n}" for n in range(node)]
    if node:
        assert run.dag().node("steps.0").status == "cached"


def test_killed_again_and_again_it_goes_on_from_where_it_was(shared, effects):
    run = killed(effects, pipelines.Pipeline(STEPS).deploy("pipeline"), 1, 2, 4)
    for count, node in ((2, 2), (3, 4)):
        run.resume()
        os.kill(int(told(f"{effects}.pid", count)[-1]), signal.SIGKILL)
        with pytest.raises(WorkerDied):
            run.result(20)
        assert read_lines(effects) == BODIES[:node]
    assert run.resume().result(20) == RESULT
    assert read_lines(effects) == BODIES
    assert run.attempts == 4


@pytest.mark.parametrize("how", ["raise", "exit"])
def test_retries_of_the_root_do_not_repeat_what_is_finished(shared, effects, how):
    run = pipelines.Fails().deploy("fails").submit(effects, how)
    assert run.result(20) == 8
    assert read_lines(effects) == ["step 1", "step 2"]


def test_who_changes_its_arguments_is_called_again(shared, effects):
    run = killed(effects, pipelines.WithMutation().deploy("mutation"))
    assert run.resume().result(20) == ([2, 3], [7, 1, 2])
    assert read_lines(effects) == ["mutates"] * 4
    assert len(said(run, "mutates: not stored")) == 2, "once for each process"
    assert "it has changed its arguments" in said(run, "not stored")[0]


@pytest.mark.parametrize("after", range(4))
def test_what_a_child_has_become_comes_back(shared, effects, after):
    run = killed(effects, pipelines.Stateful().deploy("stateful"), after)
    found, shared_list, last, calls = run.resume().result(20)
    assert found == [(0, 1), (1, 2), (3, 3), (6, 4)]
    assert shared_list == [0, 1, 2, 3], "two names of one list are two lists now"
    assert (last, calls) == (3, {"n": 4})
    assert read_lines(effects) == [f"count {n}" for n in range(4)]


def test_equal_calls_are_told_apart(shared, effects):
    run = killed(effects, pipelines.Equal().deploy("equal"))
    assert run.resume().result(20) == read_lines(effects)
    assert len(set(read_lines(effects))) == 4


@pytest.mark.parametrize("how", ["map", "pool"])
def test_calls_of_several_threads(shared, effects, how):
    run = killed(effects, pipelines.Threads().deploy("threads"), how)
    before = Counter(read_lines(effects))
    assert Counter(run.resume().result(20)) == before == Counter(read_lines(effects))


def test_calls_that_are_awaited(shared, effects):
    run = killed(effects, pipelines.Tasks().deploy("tasks"))
    assert tuple(run.resume().result(20)) == ([0, 10, 0, 10], 50)
    assert Counter(read_lines(effects)) == {"later 0": 2, "later 1": 2, "later 5": 1}


@pytest.mark.parametrize(
    ("what", "result", "reason"),
    [("large", 65 << 20, "larger than 64 MB"), ("lock", "lock", "cannot be encoded")],
)
def test_what_cannot_be_stored_is_computed_again_and_said(shared, effects, what, result, reason):
    run = killed(effects, pipelines.Unstorable().deploy("unstorable"), what)
    assert run.resume().result(30) == result
    assert read_lines(effects) == [what] * 4
    assert len(said(run, reason)) == 2
    assert said(run, reason)[0].startswith("[gives: not stored, so it is called again when the run is resumed: ")


def test_without_room_it_goes_on_and_says_so(shared, effects):
    run = killed(effects, pipelines.WithoutRoom().deploy("without-room"))
    assert run.resume().result(20) == [10, 100_000, 11]
    assert Counter(read_lines(effects)) == {"sized 10": 1, "sized 100000": 2, "sized 11": 1}
    assert len(said(run, "there is no room for it")) == 2


def test_a_function_without_a_module_is_stored(shared, effects):
    run = killed(effects, pipelines.Unstorable().deploy("unstorable"), "lambda")
    assert run.resume().result(20) == 2
    assert read_lines(effects) == ["lambda"] * 2


def test_arguments_that_cannot_be_compared(shared, effects):
    run = killed(effects, pipelines.GivenALock().deploy("lock"))
    assert run.resume().result(20) is False
    assert read_lines(effects) == ["takes"] * 2
    assert "takes: not stored" in said(run, "its arguments cannot be compared")[0]


def test_operators_that_are_functions(shared, effects):
    run = killed(effects, pipelines.functions.deploy("functions"))
    assert run.resume().result(20) == 4
    assert Counter(read_lines(effects)) == {"forgotten 1": 2, "double 1": 1, "double 2": 1}


@pytest.mark.parametrize(("leaf", "times"), [(pipelines.Leaf, 2), (pipelines.KeptLeaf, 1)])
def test_further_down_only_what_asks_for_it_is_stored(shared, effects, leaf, times):
    run = killed(effects, pipelines.Nested(leaf()).deploy(f"nested-{times}"))
    assert run.resume().result(20) == 2
    assert read_lines(effects) == ["leaf 1"] * times


def test_damaged_checkpoints_are_not_trusted(shared, effects):
    job = pipelines.Pipeline(STEPS).deploy("pipeline")
    run = killed(effects, job, STEPS)
    (file,) = (shared.path / "runs" / run.id).glob(CHECKPOINTS)
    data = bytearray(file.read_bytes())
    for position in range(100, len(data), 90):
        data[position] ^= 0x55
    file.write_bytes(data)
    assert run.resume().result(20) == RESULT
    assert len(read_lines(effects)) > STEPS


def test_without_checkpoints_it_begins_anew(shared, effects):
    run = killed(effects, pipelines.Pipeline(STEPS).deploy("pipeline"), STEPS)
    (shared.path / "runs" / run.id / CHECKPOINTS).unlink()
    assert run.resume().result(20) == RESULT
    assert read_lines(effects) == BODIES * 2


def test_whoever_resumes_at_the_same_time_it_starts_once(shared, effects):
    job = pipelines.Pipeline(STEPS).deploy("pipeline")
    run = killed(effects, job, 2)
    handles = [job.run(run.id) for _ in range(6)]
    ready, answers = threading.Barrier(len(handles)), []

    def resume(handle):
        ready.wait()
        try:
            answers.append(handle.resume().result(20))
        except ValueError as refused:
            answers.append(str(refused))

    threads = [threading.Thread(target=resume, args=(handle,)) for handle in handles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(RESULT) == 1
    assert all("resume" in answer for answer in answers if answer != RESULT)
    assert job.run(run.id).attempts == 2
    assert read_lines(effects) == BODIES


@pytest.mark.parametrize("size", [8, 400_000])
def test_arrays_are_stored(shared, effects, size):
    pytest.importorskip("numpy")
    run = pipelines.Arrays().deploy("arrays").submit(effects, size)
    with pytest.raises(ValueError, match="once"):
        run.result(20)
    assert run.resume().result(20) == size * (size - 1) / 2 + size - 1
    assert read_lines(effects) == ["made", "summed"]
    assert said(run, "not stored") == []
