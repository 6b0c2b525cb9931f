"""A bounded queue: what does not fit is refused before anything is stored; what is in starts in order of arrival."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
import requests
from waiting import until

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "kept"))

import keeping as jobs  # noqa: E402

from operator_lib import Operator  # noqa: E402
from operator_lib.client.connect import connect  # noqa: E402
from operator_lib.errors import QueueFull  # noqa: E402
from operator_lib.wire.proto import runs_pb2  # noqa: E402
from operator_lib.worker import local, stop  # noqa: E402


@pytest.fixture
def full(tmp_path):
    """A worker that runs one and lets two wait, with so many in; the folder that ends them."""
    with local(tmp_path / "home", max_runs="1", max_queued="2") as worker:
        job = jobs.holds.deploy("holds")
        first = job.submit(str(tmp_path))
        until(lambda: first.status == "RUNNING")
        waiting = [job.submit(str(tmp_path)) for _ in range(2)]
        yield worker, job, [first, *waiting]
        (tmp_path / "end").touch()


def test_one_too_many_is_refused_and_leaves_nothing(full, tmp_path):
    worker, job, runs = full
    folders = sorted((worker.home / "runs").iterdir())
    with pytest.raises(QueueFull, match="2 runs are waiting already") as refused:
        job.submit(str(tmp_path))
    assert refused.value.retry_after == 10
    assert [run.id for run in job.runs()] == [run.id for run in reversed(runs)]
    assert sorted((worker.home / "runs").iterdir()) == folders
    with pytest.raises(QueueFull):
        job(str(tmp_path))


def test_what_waits_has_no_files_until_somebody_reads_its_history(full, tmp_path):
    worker, job, runs = full
    assert [folder.name for folder in (worker.home / "runs").iterdir()] == [runs[0].id]
    asked = requests.get(
        f"{worker.url}/v1/runs/{runs[1].id}", headers={"Authorization": f"Bearer {worker.token}"}, timeout=10
    )
    (before,) = Operator.from_job("holds").run(runs[1].id).events(follow=False)
    assert (before["seq"], before["kind"], before["status"], before["attempt"]) == (1, "status", "PENDING", 0)
    assert before["t"] == pytest.approx(asked.json()["created"], abs=0.002)
    (tmp_path / "end").touch()
    for run in runs:
        run.result(30)
        told = [(event["seq"], event["status"]) for event in run.events() if event["kind"] == "status"]
        assert [status for _, status in told] == ["PENDING", "RUNNING", "COMPLETED"]
        assert [seq for seq, _ in told] == sorted({seq for seq, _ in told})
    assert next(iter(runs[1].events())) == before


def test_its_status_on_the_wire(full, tmp_path):
    worker, job, _ = full
    connection, request = connect(), runs_pb2.SubmitRequest(job="holds", inline=b"x")
    with pytest.raises(grpc.RpcError) as refused:
        connection.runs.Submit(request, metadata=connection.metadata)
    assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert dict(refused.value.trailing_metadata())["retry-after"] == "10"
    headers = {"Authorization": f"Bearer {worker.token}"}
    answer = requests.post(f"{worker.url}/v1/jobs/holds", json={"folder": str(tmp_path)}, headers=headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "10")
    assert answer.json()["error"]["type"] == "QueueFull"


def test_what_is_in_already_may_be_said_again(full, tmp_path):
    _, job, runs = full
    runs[1].cancel()
    mine = job.job.trigger(str(tmp_path), idempotency_key="mine")
    assert job.job.trigger(str(tmp_path), idempotency_key="mine").id == mine.id
    with pytest.raises(ValueError, match="other arguments"):
        job.job.trigger("elsewhere", idempotency_key="mine")
    with pytest.raises(QueueFull):
        job.job.trigger(str(tmp_path), idempotency_key="another")


def test_room_comes_back(full, tmp_path):
    _, job, runs = full
    runs[2].cancel()
    runs.append(job.submit(str(tmp_path)))
    with pytest.raises(QueueFull):
        job.submit(str(tmp_path))
    (tmp_path / "end").touch()
    assert [run.result(30) for run in (runs[0], runs[1], runs[3])] == [None] * 3
    assert job(str(tmp_path)) is None


def test_many_at_once_get_no_more_than_there_is_room_for(tmp_path):
    with local(tmp_path / "home", max_runs="1", max_queued="5"):
        job = jobs.holds.deploy("holds")

        def submit(_):
            try:
                return job.submit(str(tmp_path))
            except QueueFull:
                return None

        with ThreadPoolExecutor(20) as pool:
            accepted = [run for run in pool.map(submit, range(40)) if run is not None]
        assert len(accepted) == 6
        (tmp_path / "end").touch()
        for run in accepted:
            run.result(30)


def test_a_restart_keeps_those_that_wait_and_the_limit(full, tmp_path):
    worker, _, runs = full
    stop(worker.home)
    with local(tmp_path / "home", max_runs="1", max_queued="1"):
        job = Operator.from_job("holds")
        with pytest.raises(QueueFull):
            job.submit(str(tmp_path))
        (tmp_path / "end").touch()
        for run in runs:
            assert job.run(run.id).result(30) is None


def test_they_start_in_the_order_of_arrival(tmp_path):
    with local(tmp_path / "home", max_runs="1"):
        holds, noted = jobs.holds.deploy("holds"), jobs.noted.deploy("noted")
        holds.submit(str(tmp_path))
        runs = [noted.submit(str(tmp_path / "order"), str(n)) for n in range(20)]
        (tmp_path / "end").touch()
        for run in runs:
            run.result(30)
    assert (tmp_path / "order").read_text().split() == [str(n) for n in range(20)]


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_a_limit_that_means_nothing(tmp_path, number):
    with pytest.raises(ConnectionError, match="max-queued"), local(tmp_path / "home", max_queued=number):
        pass
