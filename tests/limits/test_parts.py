"""A child that asks for resources of its own has a process of its own, and is what it would be without."""

from __future__ import annotations

import os
import time
from pathlib import Path

import families
import greedy
import pytest

from operator_lib import Env
from operator_lib import worker as workers
from operator_lib.errors import (
    Cancelled,
    DeployError,
    OperatorTimeout,
    OptionError,
    OutOfMemory,
    RemoteError,
    WorkerDied,
)


def gone(pid: int) -> None:
    end = time.monotonic() + 5
    while Path(f"/proc/{pid}/stat").exists():
        assert time.monotonic() < end, f"process {pid} is still there"
        time.sleep(0.01)


class TestRun:
    def test_it_has_a_process_of_its_own(self, worker):
        run = families.Parent().deploy("parent").submit(3)
        told = run.result(30)
        first, second = told["first"], told["second"]
        assert first["pid"] == second["pid"] != told["pid"]
        assert first["initialised_in"] == first["pid"]  # and there alone:
        assert not told["has_handle"]
        assert first["run"] == run.id
        gone(first["pid"])

    def test_its_state_is_the_same_on_both_sides(self, worker):
        told = families.Parent().deploy("parent")(3)
        assert (told["first"]["value"], told["second"]["value"]) == (4, 40)  # what the parent sets is seen there
        assert told["seen"] == [3, 3]  # and what it does is seen by the parent

    def test_its_history_is_that_of_the_run(self, worker):
        run = families.Parent().deploy("parent").submit(3)
        run.result(30)
        events = list(run.events(follow=False))
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        story = [(e["phase"], e["path"]) for e in events if e["kind"] == "node"]
        call = [("start", "worker"), ("start", "worker.inner"), ("end", "worker.inner"), ("end", "worker")]
        assert story == [("start", ""), *call, *call, ("start", "plain"), ("end", "plain"), ("end", "")]
        calls = {e["call"]: e for e in events if e.get("phase") == "start"}
        assert len(calls) == 6
        inner = [e for e in calls.values() if e["path"] == "worker.inner"]
        assert [calls[e["parent"]]["path"] for e in inner] == ["worker", "worker"]
        assert all(e["line"] > 0 and e["file"] == "families.py" for e in inner)
        lines = [(e["text"], e["path"]) for e in events if e["kind"] == "log"]
        work = [("worker 3", "worker"), ("inner 3", "worker.inner")]
        assert lines == [*work, *work, ("inner 3", "plain")]

    def test_it_inherits_what_it_does_not_say(self, worker):
        told = families.Parent().deploy("parent", cpu=1)(3)
        assert told["first"]["threads"] == "1"

    def test_variables_are_in_its_process_alone(self, worker):
        colours = families.Colours()
        colour, pid, (its_colour, its_pid) = colours.deploy("colours")()
        assert (colour, its_colour) == (None, "green")
        assert pid != its_pid
        given = {"COLOUR": "green", "SHAPE": "round"}
        colour, pid, (its_colour, its_pid) = colours.deploy("colours", environment_variables=given)()
        assert (colour, its_colour) == ("green", "green")
        assert pid == its_pid, "the same variable is there already"

    def test_with_the_same_resources_it_stays(self, worker):
        told = families.Parent().deploy("parent", memory=2)(3)
        assert told["first"]["pid"] == told["pid"]

    def test_generators_and_coroutines(self, worker):
        items, (value, there), pid = families.Kinds().deploy("kinds").submit().result(30)
        assert [number for number, _ in items] == [0, 1]
        assert value == 2
        assert pid not in {there, *(where for _, where in items)}

    def test_the_context_is_that_of_the_run(self, worker):
        run = families.Shares().deploy("shares").submit()
        assert run.result(30) == (("shared", run.id), run.id)
        (progress,) = (event for event in run.events(follow=False) if event["kind"] == "progress")
        assert progress["path"] == "context"

    def test_a_part_may_have_parts(self, worker):
        assert len(set(families.Nest().deploy("nest")())) == 3


class TestFailures:
    def test_its_exceptions_arrive(self, worker):
        with pytest.raises(KeyError, match="no such key") as raised:
            families.Careless().deploy("careless")("raise")
        assert isinstance(raised.value, RemoteError)
        assert raised.value.operator_path == "rough"
        assert "families.py" in raised.value.remote_traceback

    def test_out_of_memory_can_be_caught_and_the_next_call_works(self, worker):
        kind, words, after = families.Careful().deploy("careful")("memory")
        assert (kind, after) == ("OutOfMemory", "again")
        assert "rough" in words
        assert "out of memory (limit 2 GiB)" in words

    def test_uncaught_it_is_what_the_run_ends_with(self, worker):
        run = families.Careless().deploy("careless").submit("memory")
        with pytest.raises(OutOfMemory, match=r"limit 2 GiB"):
            run.result(30)
        assert run.status == "FAILED"

    def test_an_exit_is_said(self, worker):
        with pytest.raises(WorkerDied, match="exit 3"):
            families.Careless().deploy("careless")("exit")

    def test_retries_start_another_process(self, worker, tmp_path):
        assert families.Careless(retries=1).deploy("careless")("once", str(tmp_path / "once")) == "once"
        assert families.Retried().deploy("retried")("once", str(tmp_path / "again")) == "once"

    def test_its_time_limit_holds(self, worker):
        run = families.Careless(timeout=1).deploy("careless").submit("sleep")
        with pytest.raises(OperatorTimeout):
            run.result(30)

    def test_its_start_does_not_count_and_progress_starts_the_clock_anew(self, worker):
        assert families.Patient().deploy("patient")(3) == 3

    @pytest.mark.parametrize("how", ["cancel", "kill"])
    def test_it_does_not_outlive_its_run(self, worker, tmp_path, how):
        run = families.Sleepy().deploy("sleepy", at_most_once=True).submit(str(tmp_path / "pid"))
        greedy.wait_for(tmp_path / "pid")
        around, pid = map(int, (tmp_path / "pid").read_text().split())
        if how == "cancel":
            run.cancel()
        else:
            os.kill(around, 9)
        with pytest.raises(Cancelled if how == "cancel" else WorkerDied):
            run.result(30)
        gone(pid)


def test_it_ends_with_the_worker(tmp_path):
    with workers.local(tmp_path / "home") as started:
        families.Sleepy().deploy("sleepy", at_most_once=True).submit(str(tmp_path / "pid"))
        greedy.wait_for(tmp_path / "pid")
        around, pid = map(int, (tmp_path / "pid").read_text().split())
        os.kill(started.pid, 9)
        gone(around)
        gone(pid)


def test_nothing_of_it_is_left(worker):
    run = families.Parent().deploy("parent").submit(3)
    run.result(30)
    (attempt,) = Path(worker.home).glob(f"runs/{run.id}/1")
    end = time.monotonic() + 10
    while (attempt / "parts").exists():
        assert time.monotonic() < end
        time.sleep(0.01)


class TestServing:
    def test_it_has_a_process_of_its_own(self, worker):
        serving = families.Parent().deploy("parent", deployment_type="serving")
        told = serving(3)
        assert told["first"]["pid"] != told["pid"]
        assert serving(4)["first"]["pid"] == told["first"]["pid"]
        serving.serving.delete()
        gone(told["first"]["pid"])


def test_a_map_uses_parts_too(worker):
    told = families.Parent().deploy("parent").map([1, 2, 3])
    assert all(one["first"]["pid"] != one["pid"] for one in told)
    assert [one["second"]["value"] for one in told] == [20, 30, 40]


def test_a_variable_without_a_value_is_named(worker):
    with pytest.raises(OptionError, match=r"^Parent.environment_variables: TOKEN has no value; give a default, or"):
        families.Parent().deploy("parent", environment_variables=[Env("TOKEN")])
    told = families.Parent().deploy("parent", environment_variables=[Env("TOKEN", default="x")])(3)
    assert told["first"]["value"] == 4


def test_what_a_child_asks_for_must_be_there(worker):
    with pytest.raises(DeployError, match=r"family.child.gpu: asks for NONESUCH, this worker has "):
        greedy.Family(gpu="NONESUCH").deploy("family")
