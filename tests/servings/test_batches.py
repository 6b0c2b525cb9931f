"""Calls of a serving that are carried out together: everyone gets what is his, and nobody else's mistakes."""

from __future__ import annotations

import json
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests

from operator_lib.errors import OperatorTimeout, OptionError, OutOfMemory, WorkerDied
from operator_lib.worker import LocalWorker

sys.path.insert(0, str(Path(__file__).parent / "project"))

import collecting  # noqa: E402


@pytest.fixture(scope="module")
def where(local_worker: LocalWorker) -> dict[str, str]:
    return {"address": local_worker.grpc_address, "token": local_worker.token}


@pytest.fixture(scope="module")
def embed(where: dict[str, str]) -> Any:
    return collecting.Embed().deploy("embed", "serving", **where)


def settled(futures: list[Any]) -> list[Any]:
    wait(futures, 60)
    return [f.exception() or f.result() for f in futures]


def test_everyone_gets_his_own(embed: Any) -> None:
    before = len(embed.sizes)
    assert embed("a") == "a"
    assert embed.sizes[before:] == [1]
    assert settled([embed.submit(f"t{n}") for n in range(50)]) == [f"t{n}" for n in range(50)]
    sizes = embed.sizes[before + 1 :]
    assert sum(sizes) == 50
    assert max(sizes) == 8
    assert embed.map(map(str, range(20))) == [str(n) for n in range(20)]
    assert embed.forward("b", times=2) == "bb"


def test_who_gives_other_arguments_is_in_another_batch(embed: Any) -> None:
    calls = [embed.submit("x", 2), embed.submit("y"), embed.submit("z", times=3), embed.submit("w", 1)]
    assert settled(calls) == ["xx", "y", "zzz", "w"]


def test_one_bad_call_fails_alone(embed: Any) -> None:
    words = ["fatal" if n % 40 == 7 else "mine" if n % 40 == 9 else f"t{n}" for n in range(200)]
    found = settled([embed.submit(word) for word in words])
    for word, outcome in zip(words, found, strict=True):
        if word == "fatal":
            assert isinstance(outcome, ValueError)
            assert "no good: ['fatal']" in str(outcome)
        elif word == "mine":
            assert isinstance(outcome, KeyError)
        else:
            assert outcome == word


def test_a_wrong_number_of_results_is_nobodys_answer(embed: Any) -> None:
    for outcome in settled([embed.submit(word) for word in ("short", "b", "c")]):
        if isinstance(outcome, Exception):
            assert "Embed.forward returned" in str(outcome)
            assert "it must return one for each call, in order" in str(outcome)
        else:
            assert outcome in ("b", "c")


def test_arguments_are_checked_before_they_gather(embed: Any) -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'texts'"):
        embed()
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        embed("a", other=1)


def test_other_methods_wait_for_their_turn(embed: Any) -> None:
    assert embed.go() is None
    assert isinstance(embed.sizes, list)


def test_arrays_of_a_shape_go_together(where: dict[str, str]) -> None:
    stack = collecting.Stack().deploy("stack", "serving", **where)
    arrays = [np.ones((3,)) if n % 3 else np.ones((2, 2)) for n in range(60)]
    assert settled([stack.submit(a) for a in arrays]) == [3.0 if n % 3 else 4.0 for n in range(60)]
    assert {shape[1:] for shape in stack.shapes} == {(3,), (2, 2)}


def test_coroutines_classes_and_options_of_the_deploy(where: dict[str, str]) -> None:
    later = collecting.later.deploy("later", **where)
    assert settled([later.submit(n) for n in range(10)]) == list(range(1, 11))
    called = collecting.Called.deploy("called", **where)
    first, second, third = settled([called.submit(x) for x in (2, 0, 3)])
    assert (first, third) == (30, 20)
    assert isinstance(second, ZeroDivisionError)
    plain = collecting.plain.deploy("plain", "serving", batch=32, **where)
    assert plain(5) == 1


def test_a_job_is_called_with_one_item_too(where: dict[str, str]) -> None:
    job = collecting.Embed().deploy("embed-job", **where)
    assert job("a") == "a"
    assert job.map(["b", "c"]) == ["b", "c"]
    with pytest.raises(KeyError):
        job("mine")


def test_generators_cannot_take_batches(where: dict[str, str]) -> None:
    with pytest.raises(OptionError, match="streams.batch: forward must return a list; it is a generator"):
        collecting.streams.deploy("streams", "serving", **where)


@pytest.fixture(scope="module")
def walk(where: dict[str, str]) -> Any:
    return collecting.Walk().deploy("walk", **where, deployment_type="serving")


def together(handle: Any) -> int:
    return handle.serving.stats()["batches"]["together"]


def test_one_example_is_compiled_for_batches(walk: Any) -> None:
    plain = collecting.Walk()
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = [((n,), {}) for n in range(1, 40)]
    calls += [((n, np.full(size, 0.5 * n)), {}) for n in range(1, 20) for size in (1, 3)]  # shapes, in turn
    calls += [((n,), {"times": n}) for n in range(1, 5)]
    found = settled([walk.submit(*args, **kwargs) for args, kwargs in calls])
    assert found == [plain(*args, **kwargs) for args, kwargs in calls]
    assert {type(outcome) for outcome in found} == {int, tuple}
    before = together(walk)
    assert before > 20
    assert walk(27) == plain(27)
    assert together(walk) == before  # alone it is a plain call
    assert walk.map(range(1, 30)) == [plain(n) for n in range(1, 30)]


def test_an_exception_of_one_example_is_its_callers(walk: Any) -> None:
    found = settled([walk.submit(n % 10 - 1) for n in range(100)])
    for number, outcome in enumerate(found):
        if number % 10 < 2:
            assert isinstance(outcome, ValueError)
            assert str(outcome) == f"no way from {number % 10 - 1}"
        else:
            assert outcome == collecting.Walk()(number % 10 - 1)
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        walk(3, other=1)


def test_numbers_beyond_64_bits_are_those_of_plain_python(where: dict[str, str]) -> None:
    power = collecting.power.deploy("power", **where)
    found = settled([power.submit(n, k) for n in (2, -7, 2**64) for k in (1, 40, 70)])
    assert found == [n**k for n in (2, -7, 2**64) for k in (1, 40, 70)]
    assert together(power) > 0


def test_what_cannot_be_compiled_is_not_deployed(where: dict[str, str]) -> None:
    with pytest.raises(OptionError, match=r"Counts.autobatch: .*collecting.py:\d+ in forward: an attribute cannot be"):
        collecting.Counts().deploy("counts", "serving", batch=4, autobatch=True, **where)


def test_one_example_over_http(walk: Any) -> None:
    headers = {"Authorization": f"Bearer {walk.token}"}
    bodies = [{"n": 27}, {"n": 0}, {"n": 6, "v": [1.0, 1.0, 1.0]}, {"n": 6, "v": [2.0]}] * 6
    with ThreadPoolExecutor(len(bodies)) as pool:
        answers = list(pool.map(lambda b: requests.post(walk.url, json=b, headers=headers, timeout=60), bodies))
    told = [(a.status_code, a.json() if a.ok else a.json()["error"]["message"]) for a in answers]
    assert told == [(200, 111), (500, "no way from 0"), (200, [8, 3.0]), (200, [8, 6.0])] * 6


def test_over_http(embed: Any) -> None:
    headers = {"Authorization": f"Bearer {embed.token}"}

    def call(number: int) -> tuple[int, Any]:
        answer = requests.post(embed.url, json={"texts": f"h{number}", "times": 2}, headers=headers, timeout=30)
        return answer.status_code, answer.json()

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(call, range(12))) == [(200, f"h{n}" * 2) for n in range(12)]
    refused = requests.post(embed.url, data=json.dumps(["a"]), headers=headers, timeout=30)
    assert refused.status_code == 422
    failed = requests.post(embed.url, json="fatal", headers=headers, timeout=30)
    assert (failed.status_code, failed.json()["error"]["type"]) == (500, "ValueError")


@pytest.mark.parametrize(("word", "kind"), [("exit", WorkerDied), ("hang", OperatorTimeout), ("eat", OutOfMemory)])
def test_who_takes_the_process_along_fails_alone(word: str, kind: type[Exception], where: dict[str, str]) -> None:
    options = {"timeout": 2} if kind is OperatorTimeout else {}
    # One for each: what has died lately is started again later and later.
    deadly = collecting.Deadly().with_options(**options).deploy(f"deadly-{word}", "serving", **where)
    first = deadly.submit("wait")  # the others come together meanwhile
    words = ["a", "b", word, "c"]
    *well, culprit = settled([deadly.submit(w) for w in sorted(words, key=len)])
    assert (first.result(30), well) == ("WAIT", ["A", "B", "C"])
    assert type(culprit) is kind, culprit


def test_the_same_over_http(where: dict[str, str]) -> None:
    deadly = collecting.Deadly().deploy("deadly-web", "serving", **where)
    headers = {"Authorization": f"Bearer {deadly.token}"}

    def call(word: str) -> Any:
        answer = requests.post(deadly.url, json=word, headers=headers, timeout=60)
        return answer.json() if answer.status_code == 200 else answer.json()["error"]["type"]

    first = deadly.submit("wait")
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(call, ("a", "b", "exit", "c"))) == ["A", "B", "WorkerDied", "C"]
    assert first.result(30) == "WAIT"


def test_a_caller_who_has_gone_leaves_the_batch(where: dict[str, str], tmp_path: Path) -> None:
    seen = collecting.Seen().deploy("seen", "serving", **where)
    gate = tmp_path / "gate"
    first = seen.submit(str(gate))
    until(seen, running=1)
    place = urlsplit(seen.url)
    body = b'"gone"'
    with socket.create_connection((str(place.hostname), int(place.port or 0))) as caller:
        head = f"POST {place.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {seen.token}\r\n"
        caller.sendall(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        until(seen, waiting=1)
    until(seen, waiting=0)
    after = seen.submit("after")
    gate.touch()
    assert (first.result(30), after.result(30)) == (str(gate), "after")
    assert seen.seen == [str(gate), "after"]


def until(handle: Any, **counts: int) -> None:
    """Until so many calls wait for their turn there, or are carried out."""
    end = time.monotonic() + 30
    while any(handle.serving.stats()[name] != count for name, count in counts.items()):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_map_over_a_job_goes_in_batches(where: dict[str, str]) -> None:
    job = collecting.Deadly().deploy("deadly-job", **where)
    assert job.map([f"w{n}" for n in range(40)]) == [f"W{n}" for n in range(40)]
    words = ["a", "b", "exit", *[f"w{n}" for n in range(20)]]
    found = job.map(words, workers=2, return_exceptions=True)
    assert isinstance(found[2], WorkerDied)
    assert found[:2] + found[3:] == [word.upper() for word in words if word != "exit"]
    sizes = collecting.Embed().deploy("sizes", **where)
    assert sizes.map([f"t{n}" for n in range(16)]) == [f"t{n}" for n in range(16)]
    assert [type(x).__name__ for x in sizes.map(["a", "mine", "fatal", "b"], return_exceptions=True)] == [
        "str", "KeyError", "ValueError", "str",
    ]  # fmt: skip
