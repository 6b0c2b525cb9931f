"""The number of processes of a serving follows its calls, and no call is lost on the way."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from operator_lib.errors import DeployError
from operator_lib.worker import LocalWorker

CALLERS = ThreadPoolExecutor(16)

sys.path.insert(0, str(Path(__file__).parent / "project"))

import scaling  # noqa: E402


@pytest.fixture(scope="module")
def where(local_worker: LocalWorker) -> dict[str, str]:
    return {"address": local_worker.grpc_address, "token": local_worker.token}


def until(condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it has not come to pass"
        time.sleep(0.02)
    return found


def web(handle: Any, method: str, value: Any) -> Future[Any]:
    """A call over HTTP."""

    def post() -> Any:
        headers = {"Authorization": f"Bearer {handle.token}"}
        answer = requests.post(handle.url + method, json=value, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return CALLERS.submit(post)


def ready(handle: Any) -> int:
    return sum(r["status"] == "ready" for r in handle.serving.stats()["replicas"])


def test_a_crowd_gets_more_processes_and_those_who_wait_move_there(where: dict[str, str]) -> None:
    nap = scaling.nap.deploy("nap", **where)
    assert ready(nap) == 1
    for start in (nap.submit, lambda seconds: web(nap, "", seconds)):
        calls = [start(0.4) for _ in range(15)]
        until(lambda: ready(nap) == 3)
        pids = [call.result(30) for call in calls]
        assert len(set(pids)) == 3, "the calls that waited have stayed where they were"
        until(lambda: ready(nap) == 1)
    until(lambda: ready(nap) == 1)
    assert isinstance(nap(0.0), int)
    nap.serving.delete()


def test_calls_that_wait_over_http_go_to_the_next_version(where: dict[str, str], tmp_path: Path) -> None:
    held = scaling.Held(1).deploy("held", **where)
    gate = tmp_path / "gate"
    first = web(held, "hold", str(gate))
    until(lambda: held.serving.stats()["running"] == 1)
    later = [web(held, "which", {}) for _ in range(5)]
    until(lambda: held.serving.stats()["waiting"] == 5)
    scaling.Held(2).deploy("held", **where)
    assert [call.result(20) for call in later] == [2] * 5
    assert not first.done()
    gate.touch()
    assert first.result(20) == 1, "what had begun is finished where it was"
    held.serving.delete()


def test_to_none_and_back_without_a_lost_call(where: dict[str, str], local_worker: LocalWorker) -> None:
    rare = scaling.rare.deploy("rare", **where)
    headers = {"Authorization": f"Bearer {rare.token}"}
    assert rare(1) == 2
    until(lambda: not rare.serving.stats()["replicas"])
    assert rare.serving.stats()["status"] == "ready"
    answer = requests.post(rare.url, json=1, headers=headers, timeout=30)
    assert (answer.status_code, answer.json()) == (200, 2)
    # Calls that come at any moment of its going are answered, too.
    for step in range(8, 12):
        assert rare(step) == step + 1
        time.sleep(0.11 * step)
    rare.serving.delete()


def test_a_number_that_somebody_says_stays(where: dict[str, str]) -> None:
    nap = scaling.nap.deploy("said", **where)
    nap.serving.scale(2)
    until(lambda: ready(nap) == 2)
    calls = [nap.submit(0.3) for _ in range(10)]
    assert len({call.result(30) for call in calls}) == 2
    assert nap.serving.stats()["wanted"] == 2
    nap.serving.scale(None)
    until(lambda: ready(nap) == 1)
    nap.serving.delete()


def test_state_that_would_not_be_shared_is_refused(where: dict[str, str]) -> None:
    with pytest.raises(DeployError, match="4 replicas of a stateful object would each have a state of their own"):
        scaling.Steady().with_options(stateless=False, max_replicas=4).deploy("several", **where)


def test_what_it_has_done_is_told(where: dict[str, str], local_worker: LocalWorker) -> None:
    steady = scaling.Steady().deploy("told", **where)
    steady.serving.scale(2)
    until(lambda: ready(steady) == 2)
    steady.answer.map(range(60))
    for _ in range(2):
        with pytest.raises(KeyError):
            steady.fail()
    slow = steady.pid.submit(0.5)
    stats = until(lambda: (found := steady.serving.stats())["running"] and found)
    slow.result()
    answer = stats["methods"]["answer"]
    assert (answer["calls"], answer["errors"]) == (60, 0)
    assert 2.0 <= answer["p50_ms"] <= answer["p90_ms"] <= answer["p99_ms"]
    assert (stats["methods"]["fail"]["calls"], stats["errors"], stats["running"]) == (2, 2, 1)
    assert sum(replica["methods"].get("answer", {}).get("calls", 0) for replica in stats["replicas"]) == 60
    assert all(replica["memory"] > 1 << 20 for replica in stats["replicas"])
    assert (stats["restarts"], stats["waiting"]) == (0, 0)

    url = local_worker.url + "/metrics"
    text = requests.get(url, headers={"Authorization": f"Bearer {local_worker.token}"}, timeout=10).text
    lines = [line for line in text.splitlines() if 'serving="told"' in line]

    def total(name: str, method: str) -> float:
        found = [x for x in lines if x.startswith(f"operator_lib_{name}{{") and f'method="{method}"' in x]
        return sum(float(line.rpartition(" ")[2]) for line in found)

    assert total("serving_calls_total", "answer") == 60
    assert total("serving_errors_total", "fail") == 2
    assert total("serving_call_seconds_count", "answer") == 60
    assert any(line.startswith("operator_lib_serving_memory_bytes") for line in lines)
    steady.serving.delete()


def test_batches_are_told(where: dict[str, str]) -> None:
    sums = scaling.Sums().deploy("sums", "serving", **where)
    assert [call.result(30) for call in [sums.submit(n) for n in range(20)]] == list(range(1, 21))
    batches = sums.serving.stats()["batches"]
    assert batches["calls"] == 20
    assert 1 < batches["mean_size"] <= 4
    assert 0 < batches["occupancy"] <= 1
    sums.serving.delete()


def test_an_earlier_version_can_be_called_by_its_number(where: dict[str, str]) -> None:
    from operator_lib import Operator

    first = scaling.Steady(1).deploy("pinned", scaledown_window=1, **where)
    pinned = Operator.from_serving(first.url + "?version=1", first.token)
    somebody = Operator.from_serving(first.url, first.token)
    assert (pinned.answer(5), somebody.answer(5)) == ([1, 5, 1], [1, 5, 1])
    second = scaling.Steady(2).deploy("pinned", **where)
    assert (second.answer(6), somebody.answer(6)) == ([2, 6, 2], [2, 6, 2])
    assert pinned.answer(7) == [1, 7, 1]
    assert pinned.url.endswith("/pinned/?version=1")
    answer = requests.post(
        f"{first.url}answer?version=1", json=8, headers={"Authorization": f"Bearer {first.token}"}, timeout=30
    )
    assert answer.json() == [1, 8, 1]
    until(lambda: {replica["version"] for replica in second.serving.stats()["replicas"]} == {2})
    assert pinned.answer(9) == [1, 9, 1], "its process has ended, and another one comes"
    with pytest.raises(LookupError, match="pinned has no version 9"):
        Operator.from_serving(first.url + "?version=9", first.token)
    second.serving.delete()


def test_a_deploy_waits_for_an_old_replica_that_cannot_be_told_to_leave(where: dict[str, str], tmp_path: Path) -> None:
    handle = scaling.Holding(1).deploy("holding", "serving", **where)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    held = handle.submit(str(pipe))
    with open(pipe, "wb", buffering=0) as writer:  # opened when the replica has
        deployed = CALLERS.submit(scaling.Holding(2).deploy, "holding", "serving", **where)
        until(lambda: any(replica["version"] == 2 for replica in handle.serving.stats()["replicas"]))
        with pytest.raises(TimeoutError):
            deployed.result(3)
        writer.write(b"x")
        deployed.result(30)
        assert (handle(), held.result(30)) == (2, 1)
