"""What the document says of latching on and calling, line by line, against a real worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from operator_lib import Operator
from operator_lib.errors import AuthenticationError, DeployError, NotFound, RemoteError
from operator_lib.worker import LocalWorker

# --- over HTTP


def test_a_function_as_a_serving_answers_json(program: Any) -> None:
    remote = program.foo.deploy("foo-http", deployment_type="serving")
    headers = {"Authorization": f"Bearer {remote.token}"}
    assert requests.post(remote.url, json={"i": 5}, headers=headers, timeout=30).json() == 25
    assert requests.post(remote.url, json=6, headers=headers, timeout=30).json() == 36
    refused = requests.post(remote.url, json={"i": 5}, timeout=30)
    assert refused.status_code == 401
    assert set(refused.json()["error"]) >= {"type", "message"}


# --- latching


def test_from_job_by_name_and_by_id(program: Any) -> None:
    job = program.foo.deploy("latch-me")
    by_name = Operator.from_job("latch-me")
    by_id = Operator.from_job(job_id=job.job.info().id)
    assert (by_name(3), by_id(4), Operator.from_job(job_name="latch-me")(5)) == (9, 16, 25)


@pytest.mark.parametrize("arguments", [{}, {"job_name": "a", "job_id": "b"}, {"job_name": "", "job_id": ""}])
def test_from_job_takes_exactly_one(arguments: dict[str, str], worker: LocalWorker) -> None:
    with pytest.raises(ValueError, match="Either job_name or job_id must be specified"):
        Operator.from_job(**arguments)


def test_what_is_not_there(worker: LocalWorker) -> None:
    with pytest.raises(NotFound, match="no-such-job"):
        Operator.from_job("no-such-job")
    with pytest.raises(NotFound, match="no-such-serving"):
        Operator.from_serving(f"{worker.url}/v1/servings/no-such-serving/", worker.token)


def test_a_wrong_token(program: Any, worker: LocalWorker) -> None:
    remote = program.Bar.deploy("guarded")
    for token in ("", "wrong", remote.token[:-1]):
        with pytest.raises(AuthenticationError):
            Operator.from_serving(remote.url, token)
    with pytest.raises(AuthenticationError):
        Operator.from_job("guarded", address=worker.grpc_address, token="wrong")
    with pytest.raises(AuthenticationError):
        program.foo.deploy("x", address=worker.grpc_address, token="wrong")


def test_nobody_there() -> None:
    with pytest.raises(ConnectionError, match="127.0.0.1:1"):
        Operator.from_serving("http://127.0.0.1:1/v1/servings/x/", "token")
    with pytest.raises(ConnectionError, match="127.0.0.1:1"):
        Operator.from_job("x", address="127.0.0.1:1", token="token")


def test_the_slash_at_the_end_of_a_url_does_not_matter(program: Any) -> None:
    remote = program.Bar(3).deploy("slash")
    assert Operator.from_serving(remote.url.rstrip("/"), remote.token).x == 3


def test_a_deployment_that_was_deleted(program: Any) -> None:
    remote = program.foo.deploy("short-lived")
    assert remote(2) == 4
    remote.job.delete()
    with pytest.raises(NotFound, match="short-lived"):
        remote(2)


# --- the hook


def test_the_hook_runs_once_in_each_process(load: Any, worker: LocalWorker, tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = load(
        f"""
        import os
        from operator_lib import Operator
        class Model(Operator):
            def __remote_init__(self):
                open({str(log)!r}, "a").write(f"{{os.getpid()}}\\n")
                self.weights = [1, 2, 3]
            def forward(self):
                return sum(self.weights), os.getpid()
        class Wrapper(Operator):
            def __init__(self):
                self.model = self.same = Model()
            def forward(self):
                return self.model()
        """
    )
    with pytest.raises(AttributeError, match="weights"):
        program.Wrapper()()
    serving = program.Wrapper().deploy("hook-serving", "serving")
    total, pid = serving()
    assert total == 6
    assert serving() == (6, pid)
    assert log.read_text() == f"{pid}\n"
    job = program.Wrapper().deploy("hook-job")
    log.write_text("")
    pids = [job()[1], job()[1]]
    assert log.read_text().split() == [str(pid) for pid in pids]
    assert len(set(pids)) == 2


def test_a_hook_that_fails(load: Any, worker: LocalWorker) -> None:
    program = load(
        """
        from operator_lib import Operator
        class Broken(Operator):
            def __remote_init__(self):
                raise OSError("no weights here")
            def forward(self):
                return 1
        """
    )
    with pytest.raises(DeployError, match="no weights here") as caught:
        program.Broken().deploy("broken-serving", "serving")
    assert isinstance(caught.value.__cause__, OSError)
    run = program.Broken().deploy("broken-job").submit()
    with pytest.raises(OSError, match="no weights here") as failed:
        run.result(30)
    assert run.status == "FAILED"
    assert 'raise OSError("no weights here")' in failed.value.remote_traceback


# --- runs


def test_a_run_lists_each_call_of_a_child(program: Any) -> None:
    run = program.Tree(1).deploy("visible").submit(1)
    assert run.result(30) == 5
    ended = [event for event in run.events() if event.get("phase") == "end"]
    assert [event["path"] for event in ended] == ["first", "rest.0", "rest.1", ""]
    assert all(event["dur"] >= 0 and event["t"] > 0 for event in ended)
    assert run.dag().node("first").status == "done"


def test_a_run_that_fails(program: Any) -> None:
    remote = program.fails.deploy("fails")
    run = remote.submit()
    with pytest.raises(LookupError, match="told you") as caught:
        run.result(30)
    error = caught.value
    assert isinstance(error, RemoteError)
    assert run.status == "FAILED"
    assert error.run_id == run.id
    assert 'raise LookupError("told you")' in error.remote_traceback
    with pytest.raises(LookupError, match="told you"):
        remote()


def test_a_process_that_ends(load: Any, worker: LocalWorker) -> None:
    program = load(
        """
        import os, signal
        from operator_lib import operator
        @operator
        def leave(how):
            print("before", flush=True)
            os._exit(3) if how == "exit" else os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    remote = program.leave.deploy("leaves")
    for how, words in (("exit", "exit 3"), ("kill", "signal 9")):
        run = remote.submit(how)
        with pytest.raises(Exception, match=words):
            run.result(30)
        assert run.status == "FAILED"
        assert list(run.logs()) == ["before"]
    assert len(remote.runs()) == 2


def test_runs_of_a_job(program: Any) -> None:
    remote = program.foo.deploy("many-runs")
    runs = [remote.submit(i) for i in range(3)]
    assert [run.result(30) for run in runs] == [0, 1, 4]
    assert [run.id for run in remote.runs()] == [run.id for run in reversed(runs)]
    assert [run.id for run in remote.runs(limit=1)] == [runs[-1].id]
    assert remote.run(runs[0].id).result(30) == 0
    with pytest.raises(NotFound):
        remote.run("no-such-run")
