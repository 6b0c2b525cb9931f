"""Nodes of a workflow on a worker: each in processes of its own, whose number changes while requests are answered."""

from __future__ import annotations

import functools
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
import requests

from operator_lib.endpoint import alive, read_token

from .served import register


def predict(url: str, name: str, body: str = "x") -> requests.Response:
    headers = {"Content-Type": "application/octet-stream"}
    return requests.post(f"{url}/wfpredict/{name}", body.encode(), headers=headers, timeout=60)


@pytest.fixture(scope="module")
def tell(url: str) -> str:
    assert register(url, "tell").status_code == 200
    return "tell"


def together(url: str, name: str, count: int, folder: Path) -> set[int]:
    """Processes that had a request at the same time: none answers before all have begun."""
    pipes = [folder / f"pipe{number}" for number in range(count)]
    for pipe in pipes:
        os.mkfifo(pipe)
    with ThreadPoolExecutor(count) as pool:
        answers = [pool.submit(predict, url, name, str(pipe)) for pipe in pipes]
        opened = [open(pipe, "w") for pipe in pipes]  # noqa: SIM115  # all are open at once
        for file in opened:
            file.close()
        return {answer.result().json()["pid"] for answer in answers}


def test_a_node_that_dies_takes_nothing_along(url: str, tell: str) -> None:
    before = predict(url, tell).json()["pid"]
    died = predict(url, tell, "die")
    assert (died.status_code, died.json()["type"]) == (500, "WorkerDied")
    assert "node tell ended before it answered: exit 3" in died.json()["message"]
    assert "exit 4" in predict(url, tell, "leave").json()["message"]
    after = predict(url, tell).json()["pid"]
    assert after != before
    assert not alive(before)


def test_a_node_that_has_died_before_a_request_costs_it_nothing(url: str, tell: str) -> None:
    idle = predict(url, tell).json()["pid"]
    os.kill(idle, signal.SIGKILL)
    answer = predict(url, tell)  # of a workflow that tries nothing again
    assert (answer.status_code, answer.json()["pid"] == idle) == (200, False), answer.text


def test_without_what_starts_its_nodes_a_replica_is_replaced(url: str, tell: str) -> None:
    node = psutil.Process(predict(url, tell).json()["pid"])
    starter = node.parent()
    assert starter is not None
    starter.kill()
    node.kill()
    statuses = [predict(url, tell).status_code]
    while statuses[-1] == 500 and len(statuses) < 20:
        statuses.append(predict(url, tell).status_code)
    assert statuses[-1] == 200, statuses


def metrics(url: str) -> str:
    token = read_token(Path(os.environ["OPERATOR_LIB_HOME"]))
    return requests.get(f"{url}/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=10).text


def test_requests_whose_caller_has_gone_are_left_out(url: str, tmp_path: Path) -> None:
    assert register(url, "late").status_code in (200, 409)
    requests.put(f"{url}/workflows/late?node=tell&timeout_ms=60000", timeout=60).raise_for_status()
    held, never = tmp_path / "held", tmp_path / "never"
    for pipe in (held, never):
        os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(predict, url, "late", str(held))
        with open(held, "w"):
            with pytest.raises(requests.Timeout):
                requests.post(f"{url}/wfpredict/late", str(never).encode(), timeout=0.5)
            while 'code="499",method="",serving="late"' not in metrics(url):
                time.sleep(0.05)  # the worker says nowhere else that it has noticed
        assert first.result().status_code == 200
    assert predict(url, "late").status_code == 200  # the one process of the node does not wait for `never`
    requests.put(f"{url}/workflows/late?node=tell&timeout_ms=1500", timeout=60).raise_for_status()


def test_a_batch_that_is_late_holds_up_nobody(url: str, tmp_path: Path) -> None:
    assert register(url, "late").status_code in (200, 409)
    changed = {"node": "tell", "batch_size": 3, "max_batch_delay": 500, "timeout_ms": 1500}
    requests.put(f"{url}/workflows/late", json=changed, timeout=60).raise_for_status()
    os.mkfifo(tmp_path / "never")
    with ThreadPoolExecutor(3) as pool:
        late = [pool.submit(predict, url, "late", str(tmp_path / "never")) for _ in range(3)]
    assert {answer.result().status_code for answer in late} == {504}
    assert [predict(url, "late").status_code for _ in range(2)] == [200, 200]
    requests.put(f"{url}/workflows/late?node=tell&batch_size=1", timeout=60).raise_for_status()


def test_a_late_node_is_ended_and_the_next_request_is_answered(url: str, tmp_path: Path) -> None:
    assert register(url, "late").status_code in (200, 409)
    before = predict(url, "late").json()["pid"]
    os.mkfifo(tmp_path / "never")
    late = predict(url, "late", str(tmp_path / "never"))
    assert (late.status_code, late.json()["type"]) == (504, "OperatorTimeout")
    assert late.json()["message"] == "tell gave no answer in 1.5 s (timeout-ms)"
    assert not alive(before)
    assert predict(url, "late").status_code == 200


def test_a_node_that_was_busy_with_others_is_kept_when_a_request_is_late(url: str, tmp_path: Path) -> None:
    assert register(url, "late").status_code in (200, 409)
    first, second = tmp_path / "first", tmp_path / "second"
    for pipe in (first, second):
        os.mkfifo(pipe)
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(predict, url, "late", str(first))
        with open(first, "w"):
            two = pool.submit(predict, url, "late", str(second))
            time.sleep(0.5)  # of the time that the second request has
        pid = one.result().json()["pid"]
        with open(second, "w"):
            assert two.result().status_code == 504
    assert predict(url, "late").json()["pid"] == pid


def test_settings_change_while_requests_are_answered(url: str, tell: str, tmp_path: Path) -> None:
    stop, answers = threading.Event(), list[int]()

    def ask_on() -> None:
        while not stop.is_set():
            answers.append(predict(url, tell).status_code)

    asking = threading.Thread(target=ask_on)
    asking.start()
    try:
        scaled = requests.put(f"{url}/workflows/tell?node=tell&min_worker=4", timeout=60)
        assert scaled.json() == {"status": "Workflow tell has been scaled."}
        assert len(together(url, tell, 3, tmp_path)) == 3
    finally:
        stop.set()
        asking.join()
    assert set(answers) == {200}
    body = {"node": "tell", "min-workers": 1, "max_workers": 1, "batch-size": 4, "max_batch_delay": 20_000}
    assert requests.put(f"{url}/workflows/tell", json=body, timeout=60).status_code == 200
    with ThreadPoolExecutor(4) as pool:
        batches = [pool.submit(predict, url, tell) for _ in range(4)]
        assert {batch.result().json()["batch"] for batch in batches} == {4}


def test_versions_are_kept_and_chosen(url: str, tell: str) -> None:
    def versions() -> list[tuple[str, bool, int]]:
        told = requests.get(f"{url}/workflows/tell/all", timeout=10).json()
        return [(v["workflowVersion"], v["default"], v["nodes"]["tell"]["min-workers"]) for v in told]

    known = versions()
    done = requests.put(f"{url}/workflows/tell/1/set-default", timeout=60)
    assert done.json() == {"status": 'Default version successfully updated for workflow "tell" to "1"'}
    requests.put(f"{url}/workflows/tell?node=tell&min_worker=2", timeout=60).raise_for_status()
    assert versions()[0] == ("1", False, 1)
    assert versions()[-1] == (str(len(known) + 1), True, 2)
    old, new = (predict(url, f"tell/{number}") for number in (1, len(known) + 1))
    assert old.json()["pid"] != new.json()["pid"]
    for path in ("/workflows/tell/99", "/wfpredict/tell/99"):
        missing = requests.get(url + path, timeout=60)
        assert (missing.status_code, missing.json()["type"]) == (404, "WorkflowVersionNotFoundException")


def test_changes_of_several_people_all_hold(url: str, tell: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        queries = ["node=tell&min_worker=3", "node=ask&batch_size=2"]
        done = [pool.submit(requests.put, f"{url}/workflows/tell?{query}", timeout=60) for query in queries]
        assert [one.result().status_code for one in done] == [200, 200]
    nodes = requests.get(f"{url}/workflows/tell/all", timeout=10).json()[-1]["nodes"]
    assert (nodes["tell"]["min-workers"], nodes["ask"]["batch-size"]) == (3, 2)
    requests.put(f"{url}/workflows/tell?node=tell&min_worker=1&max_worker=1", timeout=60).raise_for_status()


@pytest.mark.parametrize(
    ("query", "code", "words"),
    [
        ("min_worker=4&max_worker=2", 400, "max_worker cannot be less than min_worker"),
        ("batch_size=0", 400, "batch_size must be a whole number of at least 1"),
        ("node=none&min_worker=2", 404, "Node not found: none; there is: "),
        ("other=1", 405, "not allowed"),
        ("url=none.war", 404, "not found in workflow store"),
    ],
)
def test_what_cannot_be_changed(url: str, tell: str, query: str, code: int, words: str) -> None:
    answer = requests.put(f"{url}/workflows/tell?{query}", timeout=60)
    assert (answer.status_code, words in answer.json()["message"]) == (code, True)


def test_names_do_not_collide(url: str) -> None:
    for name in ("a", "a__b"):  # either has a node that is a__b__c to its handler
        assert register(url, name).status_code == 200
    assert [predict(url, name).text for name in ("a", "a__b")] == ["X", "X"]


def test_an_address_may_be_registered_twice(url: str, stores: Path) -> None:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=stores)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/chain.war"
        for name in ("once", "again"):
            params = {"url": address, "workflow_name": name}
            assert requests.post(f"{url}/workflows", params=params, timeout=60).status_code == 200
        server.shutdown()
    assert [predict(url, name).text for name in ("once", "again")] == ["<X>", "<X>"]


def below(pid: int) -> tuple[int, int]:
    """Processes that come from one, and their threads."""
    parents = dict[int, int]()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return len(found), sum(len(os.listdir(f"/proc/{one}/task")) for one in found)


def test_failures_leave_nothing_behind(url: str) -> None:
    assert register(url, "fail").status_code in (200, 409)
    with requests.Session() as session:

        def fail(times: int) -> None:
            for _ in range(times):
                assert session.post(f"{url}/wfpredict/fail", b"x", timeout=60).status_code == 500

        fail(20)
        processes, threads = below(os.getpid())
        fail(100)
        after = below(os.getpid())
    assert after[0] <= processes
    assert after[1] < threads + 10  # the worker's own pools have not all their threads yet
