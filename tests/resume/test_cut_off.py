"""The worker dies, and the run goes on from its checkpoints by itself; what else can be resumed, and what not."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request

import pipelines
import pytest
from crash import Home, read_lines, told, until

from operator_lib.errors import Cancelled

STEPS = 4
BODIES = [f"step {n}" for n in range(STEPS)]


@pytest.mark.parametrize("node", [0, 2, STEPS])
def test_killed_with_its_worker_it_goes_on_with_the_next(worker, effects, node):
    run = pipelines.Pipeline(STEPS).deploy("pipeline").submit(effects, node)
    told(f"{effects}.pid")
    worker.restart()
    assert run.result(30) == 27
    assert read_lines(effects) == BODIES
    assert run.attempts == 2


def test_a_resumed_run_survives_the_worker_too(worker, effects):
    run = pipelines.Pipeline(STEPS).deploy("pipeline").submit(effects, 1, 3)
    told(f"{effects}.pid")
    run.cancel()
    with pytest.raises(Cancelled):
        run.result(20)
    run.resume()
    told(f"{effects}.pid", 2)
    worker.restart()
    assert run.result(30) == 27
    assert read_lines(effects) == BODIES
    assert run.attempts == 3


def test_an_old_failure_is_not_taken_for_the_end_of_what_was_resumed(worker, effects):
    """The worker dies after the run was resumed and before it was started."""
    worker.terminate()
    worker.start(max_runs="1")
    job = pipelines.Pipeline(STEPS).deploy("pipeline")
    failed = pipelines.Raises().deploy("raises").submit(effects)
    with pytest.raises(ZeroDivisionError):
        failed.result(20)
    blocking = job.submit(f"{effects}.other", 0)
    told(f"{effects}.other.pid")
    failed.resume()
    assert failed.status == "PENDING"
    worker.restart()
    assert failed.result(30) == "better"
    assert blocking.result(30) == 27


def test_what_cannot_be_resumed(shared, effects):
    job = pipelines.Pipeline(STEPS).deploy("pipeline")
    run = job.submit(effects, 1)
    told(f"{effects}.pid")
    with pytest.raises(ValueError, match="is RUNNING: only a run that has ended can be resumed"):
        run.resume()
    run.cancel()
    with pytest.raises(Cancelled):
        run.result(20)
    assert run.resume().result(20) == 27
    with pytest.raises(ValueError, match="has COMPLETED: there is nothing to resume"):
        run.resume()
    assert run.result() == 27


def ask(home: Home, path: str) -> tuple[int, dict]:
    request = urllib.request.Request(
        home.found.url + path, method="POST", headers={"Authorization": f"Bearer {home.token}"}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def test_resuming_by_http(shared, effects):
    job = pipelines.Pipeline(STEPS).deploy("pipeline")
    run = job.submit(effects, 2)
    told(f"{effects}.pid")
    assert ask(shared, f"/v1/runs/{run.id}/resume")[0] == 409
    run.cancel()
    until(run.done)
    status, body = ask(shared, f"/v1/runs/{run.id}/resume")
    assert (status, body["id"]) == (202, run.id)
    assert job.run(run.id).result(20) == 27
    status, body = ask(shared, f"/v1/runs/{run.id}/resume")
    assert status == 409
    assert "has COMPLETED" in body["error"]["message"]
    assert ask(shared, "/v1/runs/nobody/resume")[0] == 404
    assert read_lines(effects) == BODIES


def test_resuming_on_the_command_line(shared, effects):
    job = pipelines.Pipeline(STEPS).deploy("pipeline")
    run = job.submit(effects, 2)
    told(f"{effects}.pid")
    run.cancel()
    until(run.done)

    def resume():
        command = [sys.executable, "-m", "operator_lib", "resume", run.id, "--json"]
        return subprocess.run(command, capture_output=True, text=True)

    done = resume()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["id"] == run.id
    assert job.run(run.id).result(20) == 27
    refused = resume()
    assert refused.returncode == 1
    assert "has COMPLETED" in refused.stderr + refused.stdout
