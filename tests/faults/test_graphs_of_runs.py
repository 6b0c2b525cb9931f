"""`run.dag()` while the run goes on, and after its process or the worker was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import fault_graph as programs
import pytest
from crash import told, until

from operator_lib.errors import WorkerDied


def statuses(run):
    return {n.operator: n.status for n in run.dag().nodes if n.operator}


def final(run):
    return {n.status for n in run.dag().nodes} <= {"done", "failed", "skipped", "cached", "lost"}


def at_the_middle(run):
    until(lambda: statuses(run)["middle.wait"] == "running", 20, "the middle is not shown to run")


def test_the_graph_lights_up_while_the_run_goes_on(shared, tmp_path):
    run = programs.Steps().deploy("lit").submit(str(tmp_path / "notes"), str(tmp_path / "go"))
    at_the_middle(run)
    assert statuses(run) == {
        "first": "done", "middle": "running", "middle.wait": "running", "last": "pending", "other": "pending",
    }  # fmt: skip
    assert run.dag().node("middle").started is not None
    (tmp_path / "go").touch()
    assert run.result(20) == "done"
    assert statuses(run) == {
        "first": "done", "middle": "done", "middle.wait": "done", "last": "done", "other": "skipped",
    }  # fmt: skip
    assert final(run)


def test_killed_in_the_middle_of_a_node(shared, tmp_path):
    job = programs.Steps().deploy("killed")
    run = job.submit(str(tmp_path / "notes"), str(tmp_path / "go"))
    at_the_middle(run)
    os.kill(int(told(tmp_path / "notes")[0].split()[1]), signal.SIGKILL)
    with pytest.raises(WorkerDied):
        run.result(20)
    for seen in (run, job.run(run.id)):  # live to the end, and after the fact
        assert statuses(seen) == {
            "first": "done", "middle": "lost", "middle.wait": "lost", "last": "skipped", "other": "skipped",
        }  # fmt: skip
        assert final(seen)


def test_what_was_acknowledged_is_there_after_the_worker_was_killed(worker, tmp_path):
    run = programs.Steps().deploy("again").submit(str(tmp_path / "notes"), str(tmp_path / "go"))
    at_the_middle(run)
    before = list(run.events(follow=False))
    worker.restart()
    until(lambda: run.attempts == 2, 20, "it was not started again")
    told(tmp_path / "notes", 2)
    assert list(run.events(follow=False))[: len(before)] == before
    (tmp_path / "go").touch()
    assert run.result(20) == "done"
    dag = run.dag()  # the same object, which followed the run through both workers
    assert (dag.node("first").count, dag.node("first").status) == (2, "done")
    assert (dag.node("middle.wait").count, dag.node("middle.wait").status) == (1, "done")
    assert (dag.node("last").status, dag.node("other").status) == ("done", "skipped")
    assert final(run)


def test_a_tiny_operator_called_very_often(shared, tmp_path):
    times = 80_000
    run = programs.Often().deploy("often").submit(times, str(tmp_path / "go"))
    until(lambda: statuses(run)["wait"] == "running", 60, "it does not come to its end")
    dag = run.dag()
    assert (dag.node("add").count, dag.node("add").status) == (times, "done")  # live, not only at the end
    assert next(n for n in dag.nodes if n.kind == "loop").count == times
    story = shared.path / "runs" / run.id / "events"
    files = [story] if story.exists() else [p for p in Path(shared.path).rglob("events") if run.id in str(p)]
    assert sum(file.stat().st_size for file in files) < 1_000_000
    (tmp_path / "go").touch()
    assert run.result(20) == times


def test_show_after_a_crash_names_what_was_lost(shared, tmp_path):
    run = programs.Steps().deploy("shown").submit(str(tmp_path / "notes"), str(tmp_path / "go"))
    at_the_middle(run)
    command = [sys.executable, "-m", "operator_lib", "show", run.id]
    live = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "wait: Wait" in live
    assert "running" in live
    os.kill(int(told(tmp_path / "notes")[0].split()[1]), signal.SIGKILL)
    with pytest.raises(WorkerDied):
        run.result(20)
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "lost" in shown
    assert "skipped" in shown
