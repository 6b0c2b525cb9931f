"""Callers without the code: what arrives of classes that they do not have. And what only a handle can do."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import pytest
import subjects

from operator_lib import Operator
from operator_lib.errors import RemoteError, SerializationError
from operator_lib.worker import LocalWorker

STRANGER = """
import json, sys
from operator_lib import Operator
from operator_lib.errors import RemoteError

url, token, job, address, worker_token = sys.argv[1:]
seen = {}
boom = Operator.from_serving(url, token)
try:
    boom("refused")
except Exception as error:
    seen["error"] = [type(error) is RemoteError, str(error), error.remote_type]
    seen["traceback"] = error.remote_traceback
try:
    boom("quiet")
except RemoteError as error:
    seen["quiet"] = str(error)
seen["answer"] = Operator.from_job(job, address=address, token=worker_token)(1.5)
seen["loaded"] = [name for name in sys.modules if name.partition(".")[0] in ("subjects", "org_library")]
print(json.dumps(seen))
"""


@pytest.fixture
def handle(worker: LocalWorker, deployments: Any) -> Any:
    return deployments.handle


def test_without_the_code(handle: Any, worker: LocalWorker, tmp_path: Path) -> None:
    boom = handle("boom", "serving")
    handle("made", "job")
    (tmp_path / "stranger.py").write_text(STRANGER)
    arguments = [boom.url, boom.token, "made-job", worker.grpc_address, worker.token]
    done = subprocess.run(
        [sys.executable, "stranger.py", *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["error"] == [
        True, "subjects.failures.Refused: refused with 7: closed", "subjects.failures.Refused",
    ]  # fmt: skip
    assert "raise MAKERS[kind]()" in seen["traceback"]
    assert seen["quiet"] == "subjects.failures.Quiet: quiet"
    assert seen["answer"] == [{"x": 1.5, "y": 0.0, "tags": []}, 1, [1.5, None]]  # fields, value, items
    assert seen["loaded"] == []


@pytest.mark.parametrize("kind", ["job", "serving"])
def test_an_exception_says_where_it_came_from(handle: Any, kind: str) -> None:
    boom = handle("boom", kind)
    with pytest.raises(ValueError, match="wrong") as caught:
        boom("value")
    error = caught.value
    assert isinstance(error, RemoteError)
    assert error.remote_type == "ValueError"
    assert "raise MAKERS[kind]()" in error.remote_traceback
    assert "failures.py" in error.remote_traceback
    assert "operator_lib" not in error.remote_traceback
    assert (error.run_id is not None) == (kind == "job")


@pytest.mark.parametrize("kind", ["job", "serving"])
def test_the_path_of_the_operator_that_raised(handle: Any, kind: str) -> None:
    with pytest.raises(TypeError) as caught:
        handle("pipeline", kind)(None)
    assert caught.value.operator_path == "stages.0"


@pytest.mark.parametrize("kind", ["job", "serving"])
def test_what_cannot_be_sent_is_refused_by_name(handle: Any, kind: str) -> None:
    echo = handle("echo", kind)
    before = len(echo.runs()) if kind == "job" else 0
    with pytest.raises(SerializationError, match=r"argument 'value' of echo"):
        echo(object())
    with pytest.raises(SerializationError, match=r"argument 'value'\['deep'\]\[0\] of echo is function"):
        echo(value={"deep": [lambda: 1]})
    if kind == "job":
        assert len(echo.runs()) == before


@pytest.mark.parametrize("kind", ["job", "serving"])
def test_wrong_arguments_send_nothing(handle: Any, kind: str) -> None:
    op = handle("arguments", kind)
    before = len(op.runs()) if kind == "job" else 0
    for use in (op, op.submit):
        with pytest.raises(TypeError, match=r"missing 1 required keyword-only argument: 'c'") as caught:
            use(1)
        assert not isinstance(caught.value, RemoteError)
    if kind == "job":
        assert len(op.runs()) == before


def test_a_job_starts_anew_for_each_call(handle: Any) -> None:
    tally = handle("tally", "job")
    assert [tally(1), tally(1), tally(5)] == [(101, [1]), (101, [1]), (105, [5])]
    assert handle("remember", "job")("a") == handle("remember", "job")("a") == ["a"]
    assert subjects.find("tally").count == 100


def test_methods_as_futures_and_maps(handle: Any) -> None:
    adder = handle("Adder", "serving")
    pending = [adder.add.submit(x) for x in range(5)]
    assert wait(pending, timeout=30).not_done == set()
    assert [future.result() for future in pending] == [100, 101, 102, 103, 104]
    assert adder.add.map(range(200)) == list(range(100, 300))
    assert adder.add.map([]) == []
    with pytest.raises(TypeError):
        adder.add.submit()


def test_methods_describe_themselves(handle: Any) -> None:
    import inspect

    store = handle("Store", "serving")
    assert str(inspect.signature(store.put)) == "(key, value=None, *, overwrite=False)"
    assert store.reset.__doc__ == "Back to the beginning."
    assert {"put", "add", "owner_of", "full", "serving", "url"} <= set(dir(store))
    assert "_secret" not in dir(store)
    assert not [name for name in dir(store) if name.startswith("_")]


def test_a_stream_that_was_left_half_way_holds_nobody_up(handle: Any) -> None:
    tap = handle("Tap", "serving")
    tap.reset()
    streams = [tap.flow() for _ in range(3)]
    assert [next(stream) for stream in streams] == [0, 0, 0]
    assert tap.drawn == 3
    del streams
    assert list(tap.flow(2)) == [0, 1]


def test_two_streams_take_turns(handle: Any) -> None:
    tap = handle("Tap", "serving")
    tap.reset()
    assert list(zip(tap.flow(3), tap.flow(3), strict=True)) == [(0, 0), (1, 1), (2, 2)]
    assert tap.drawn == 6


def test_handles_can_be_pickled(handle: Any, worker: LocalWorker) -> None:
    import pickle

    assert pickle.loads(pickle.dumps(handle("foo", "serving")))(3) == 9
    assert pickle.loads(pickle.dumps(handle("foo", "job")))(4) == 16


def test_a_handle_is_a_child_like_others(handle: Any) -> None:
    class Here(Operator):
        def __init__(self) -> None:
            self.far = handle("foo", "serving")
            self.job = handle("foo", "job")

        def forward(self, x: int) -> list[Any]:
            return [self.far(x), self.job(x)]

    here = Here()
    assert here(3) == [9, 9]
    assert [name for name, _ in here.named_operators()] == ["", "far", "job"]
    assert here.map([1, 2]) == [[1, 1], [4, 4]]
    assert repr(here)


def test_the_graph_of_what_is_deployed(handle: Any) -> None:
    for kind in ("job", "serving"):
        calls = [node.operator for node in handle("recap", kind).dag().nodes if node.kind == "call"]
        assert calls == ["b"]
    serving = handle("recap", "serving")
    assert Operator.from_serving(serving.url, serving.token).dag().nodes == serving.dag().nodes


def test_what_a_function_prints_is_in_the_logs(handle: Any, worker: LocalWorker) -> None:
    run = handle("foo", "job").submit(2)
    assert run.result(30) == 4
    assert list(run.logs()) == []
    assert [event["status"] for event in run.events() if event["kind"] == "status"][-1] == "COMPLETED"
