"""A failed call replaces its process, where that is asked for; whoever waits there is served by the next one."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import pytest
import requests
import restarting
from appeared import appeared
from restarting import Fragile, fragile, robust

from operator_lib import errors
from operator_lib.worker import LocalWorker

pytestmark = pytest.mark.usefixtures("worker")


def test_a_failed_call_replaces_the_process() -> None:
    before = fragile.run(1)
    assert fragile.run(2) == {"pid": before["pid"], "calls": before["calls"] + 1}
    with pytest.raises(ValueError, match="not 5") as found:
        fragile.run(5)
    assert "raise ValueError" in found.value.remote_traceback
    after = fragile.run(3)
    assert after["pid"] != before["pid"]
    assert after["calls"] == 1  # modules are loaded anew


def test_a_model_is_set_up_again() -> None:
    before = Fragile.run(1)
    assert isinstance(Fragile.push(5).exception(60), ValueError)
    after = Fragile.run(1)
    assert after["pid"] != before["pid"]
    assert (after["setups"], after["calls"]) == (1, 1)


def test_without_it_the_process_stays_unless_it_is_fatal() -> None:
    before = robust.run(1)
    with pytest.raises(ValueError, match="not 5"):
        robust.run(5)
    assert robust.run(1)["pid"] == before["pid"]
    with pytest.raises(errors.FatalException, match="of no more use") as found:
        robust.run(10)
    assert "in act" in found.value.remote_traceback
    after = robust.run(1)
    assert after["pid"] != before["pid"]
    assert after["calls"] == 1


def test_an_item_that_fails_replaces_the_process() -> None:
    assert len({item["pid"] for item in restarting.items.run(2)}) == 1
    started = restarting.items.run(5)
    before = next(started)["pid"]
    with pytest.raises(ValueError, match="not 5"):
        next(started)
    assert next(restarting.items.run(2))["pid"] != before


def test_an_iterator_that_is_being_read_is_finished() -> None:
    going = restarting.items.run(2)
    before = next(going)["pid"]
    with pytest.raises(ValueError, match="not 5"):
        list(restarting.items.run(5))
    assert next(restarting.items.run(2))["pid"] != before
    assert [item["pid"] for item in going] == [before]


def test_a_batch_with_a_bad_item_replaces_the_process() -> None:
    handle = restarting.Batched.deploy("restarting-batched")
    before = handle(1)
    futures = [handle.submit(number) for number in (1, 5, 2)]
    assert isinstance(futures[1].exception(60), ValueError)
    assert all(isinstance(futures[place].result(60), int) for place in (0, 2))
    assert handle(3) != before


def test_what_was_no_failure_of_the_code_leaves_the_process() -> None:
    handle = fragile.deploy()
    before = handle(1)["pid"]
    with pytest.raises(TypeError):
        handle()
    with pytest.raises(AttributeError):
        handle.nothing
    assert handle(1)["pid"] == before


def test_calls_that_wait_go_to_the_next_process_once_each(tmp_path: Path) -> None:
    path = tmp_path / "log"
    numbers = list(range(1, 13))
    handle = restarting.log.deploy()
    futures: list[Future[int]] = [handle.submit(str(path), number) for number in numbers]
    found = [future.exception(120) or future.result() for future in futures]
    expected = [str(n) if n % 3 == 0 else n for n in numbers]
    assert [str(value) if isinstance(value, ValueError) else value for value in found] == expected
    assert sorted(map(int, path.read_text().split())) == numbers


def test_calls_beside_a_failed_one_are_finished(tmp_path: Path) -> None:
    folder = str(tmp_path)
    beside = [restarting.side_by_side.push(folder, name) for name in ("a", "b")]
    for name in ("a", "b"):
        appeared(tmp_path / f"{name}.begun")
    with pytest.raises(ValueError, match="fail"):
        restarting.side_by_side.run(folder, "fail")
    waiting = restarting.side_by_side.push(folder, "c")
    appeared(tmp_path / "c.begun")  # elsewhere, while the others are not answered yet
    assert not any(future.done() for future in beside)
    (tmp_path / "go").touch()
    old = {future.result(60) for future in beside}
    assert len(old) == 1
    assert waiting.result(60) not in old


def test_an_operator_can_ask_for_it_too() -> None:
    handle = restarting.Plain.deploy("restarting-plain")
    before = handle.pid()
    for _ in range(3):
        with pytest.raises(RuntimeError, match="boom"):
            handle.boom()
    assert handle.calls == 0
    assert handle.pid() != before


@pytest.mark.parametrize(
    ("outer", "inner", "replaced"), [(False, True, True), (True, False, False), (True, None, True)]
)
def test_an_operator_below_says_whether_its_failures_count(outer: bool, inner: bool | None, replaced: bool) -> None:
    said = {} if inner is None else {"restart_on_error": inner}
    op = restarting.Outer(restarting.Inner().with_options(**said) if said else restarting.Inner())
    handle = op.with_options(restart_on_error=outer).deploy("restarting-outer", "serving")
    before = handle(1)
    with pytest.raises(ValueError, match="not 5"):
        handle(5)
    assert (handle(1) != before) is replaced


def test_calls_over_http_are_served_by_the_next_process(worker: LocalWorker) -> None:
    fragile.deploy()
    with requests.Session() as http:
        http.headers["Authorization"] = f"Bearer {worker.token}"
        url = f"{worker.url}/v1/servings/fragile"
        before = http.post(url, json={"x": 1}).json()["pid"]
        for _ in range(4):
            failed = http.post(url, json={"x": 5})
            assert (failed.status_code, failed.json()["error"]["type"]) == (500, "ValueError")
        assert http.post(url, json={"x": 1}).json()["pid"] != before
