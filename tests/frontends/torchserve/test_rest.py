"""TorchServe's REST interface on the worker: its paths, parameters, statuses and bodies, and what is better here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests

from operator_lib import worker

from .served import register


def test_register_describe_predict_remove(url: str) -> None:
    done = register(url, "chain")
    assert (done.status_code, done.json()) == (
        200,
        {"status": "Workflow chain has been registered and scaled successfully."},
    )
    listed = requests.get(f"{url}/workflows", timeout=10).json()["workflows"]
    assert {"workflowName": "chain", "workflowUrl": "chain.war"} in listed
    names = [each["workflowName"] for each in listed]
    assert names == sorted(names)
    pages = requests.get(f"{url}/workflows?limit=1&next_page_token={names.index('chain')}", timeout=10).json()
    assert pages["workflows"][0]["workflowName"] == "chain"
    described = requests.get(f"{url}/workflows/chain", timeout=10)
    assert described.text.startswith('[\n  {\n    "workflowName": "chain",\n    "workflowUrl": "chain.war",\n')
    assert described.json()[0]["workflowDag"] == "{first=[shout], shout=[last]}"
    for send in (requests.post, requests.put):
        answer = send(f"{url}/wfpredict/chain", data=b"hello", timeout=60)
        assert (answer.status_code, answer.text) == (200, "<HELLO>")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    again = register(url, "chain")
    assert (again.status_code, again.json()["type"]) == (409, "ConflictStatusException")
    updated = requests.put(f"{url}/workflows/chain?url=chain.war", timeout=60)
    assert updated.json() == {"status": "Workflow chain has been updated."}
    removed = requests.delete(f"{url}/workflows/chain", timeout=60)
    assert removed.json() == {"status": 'Workflow "chain" unregistered'}
    gone = requests.post(f"{url}/wfpredict/chain", timeout=10)
    assert (gone.status_code, gone.json()) == (
        404,
        {"code": 404, "type": "WorkflowNotFoundException", "message": "Workflow not found: chain"},
    )


def test_register_by_command(url: str, stores: Path) -> None:
    command = [sys.executable, "-m", "operator_lib", "workflow", "register", "chain.war", "--name", "commanded"]
    done = subprocess.run(command, cwd=stores, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"{url}/v1/servings/commanded/\n"), done.stderr
    assert requests.post(f"{url}/wfpredict/commanded", b"x", timeout=60).text == "<X>"
    again = subprocess.run(command, cwd=stores, capture_output=True, text=True, timeout=60)
    assert (again.returncode, "--update" in again.stderr) == (1, True)


REFUSED = [
    ("POST", "/workflows", 400, "BadRequestException", "Parameter url is required."),
    ("POST", "/workflows?url=none.war", 404, "WorkflowNotFoundException", "not found in workflow store: none.war"),
    ("POST", "/workflows?url=..%2Fchain.war", 404, "WorkflowNotFoundException", "Relative path is not allowed"),
    ("POST", "/workflows?url=file:///none.war", 400, "DownloadArchiveException", "Failed to download archive from"),
    ("POST", "/workflows?url=functions.py", 400, "InvalidWorkflowException", "functions.py is no zip file"),
    ("POST", "/workflows?url=circle.war", 400, "InvalidDAGException", "circle.yaml:4: error: first -> last -> first"),
    ("POST", "/workflows?url=chain.war&workflow_name=no%20name", 400, "BadRequestException", "no name for a workflow"),
    ("GET", "/workflows/none", 404, "WorkflowNotFoundException", "Workflow not found: none"),
    ("POST", "/wfpredict/", 404, "ResourceNotFoundException", "not found"),
    ("PATCH", "/workflows", 405, "MethodNotAllowedException", "not allowed"),
]


@pytest.mark.parametrize(("method", "path", "code", "kind", "words"), REFUSED, ids=[row[1] for row in REFUSED])
def test_what_is_refused(url: str, method: str, path: str, code: int, kind: str, words: str) -> None:
    answer = requests.request(method, url + path, timeout=60)
    assert (answer.status_code, answer.json()["code"], answer.json()["type"]) == (code, code, kind)
    assert words in answer.json()["message"]


def test_what_nodes_get(url: str) -> None:
    assert register(url, "dump").status_code == 200

    def ask(**sent: object) -> dict[str, object]:
        headers = {"X-My-Header": "abc", **sent.pop("headers", {})}  # type: ignore[dict-item]
        return requests.post(f"{url}/wfpredict/dump", headers=headers, timeout=60, **sent).json()  # type: ignore[arg-type]

    raw = ask(data=b"hello", headers={"Content-Type": "application/octet-stream"})
    assert raw == {
        "row": {"body": ["bytearray", "hello"]},
        "types": {"body": "application/octet-stream"},
        "header": "abc",
        "name": "dump__dump",
    }
    assert ask(json={"x": 1})["row"] == {"body": ["dict", {"x": 1}]}
    assert ask(data=b"{bad", headers={"Content-Type": "application/json"})["row"] == {"body": ["bytearray", "{bad"]}
    assert ask(data="hé".encode(), headers={"Content-Type": "text/plain"})["row"] == {"body": ["str", "hé"]}
    assert ask(data={"a": "1", "b": "two"})["row"] == {"a": ["bytearray", "1"], "b": ["bytearray", "two"]}
    parts = ask(files={"a": (None, "1"), "data": ("f.txt", b"hello", "text/plain")})
    assert parts["row"] == {"a": ["bytearray", "1"], "data": ["str", "hello"]}
    assert parts["types"] == {"a": "", "data": "text/plain"}


def test_what_handlers_say_counts(url: str) -> None:
    for name in ("said", "refuse", "pour", "fail", "odd", "pair"):
        assert register(url, name).status_code in (200, 409)  # other tests use it, too
    said = requests.post(f"{url}/wfpredict/said", timeout=60)
    assert (said.status_code, said.text, said.headers["content-type"]) == (202, "# hi", "text/markdown")
    assert said.headers["x-from-handler"] == "yes"
    refused = requests.post(f"{url}/wfpredict/refuse", timeout=60)
    assert (refused.status_code, refused.json()["message"]) == (418, "Error executing refuse: ValueError: no")
    pot = requests.post(f"{url}/wfpredict/pour", timeout=60)  # a class of the archive's own, which says the status
    assert (pot.status_code, pot.json()["type"]) == (418, "Teapot")
    assert pot.json()["message"] == "Error executing pour: Teapot: short and stout"
    failed = requests.post(f"{url}/wfpredict/fail", timeout=60)
    assert (failed.status_code, failed.json()["type"]) == (500, "KeyError")
    assert requests.post(f"{url}/wfpredict/odd", timeout=60).json() == [[1, 2], "2026-11-21"]
    assert requests.post(f"{url}/wfpredict/pair", b"x", timeout=60).text == "a"
    large = requests.post(f"{url}/wfpredict/said", data=b"x" * 6_553_501, timeout=60)
    assert (large.status_code, large.content) == (413, b"")


BROKEN = [
    ({"status": 700}, "status 700; one of 200 to 599"),
    ({"status": "ok"}, "status 'ok'"),
    ({"x-name": "a\r\nx-other: b"}, "header 'x-name'"),
    ({"x name": "a"}, "header 'x name'"),
    ({"x-name": "\u20ac"}, "HTTP cannot carry"),
]


def test_what_http_cannot_carry_is_the_handlers_mistake(url: str) -> None:
    assert register(url, "broken").status_code == 200
    for sent, words in BROKEN:
        answer = requests.post(f"{url}/wfpredict/broken", json=sent, timeout=60)
        assert (answer.status_code, answer.json()["type"], words in answer.text) == (500, "HandlerError", True), sent
    ours = {"Content-Length": "2", "Transfer-Encoding": "chunked", "Pragma": "own", "Content-Type": "text/x-own"}
    answer = requests.post(f"{url}/wfpredict/broken", json=ours, timeout=60)
    assert (answer.text, answer.headers["pragma"], answer.headers["content-type"]) == ("said", "own", "text/x-own")
    assert requests.post(f"{url}/wfpredict/broken", json={"status": 204}, timeout=60).content == b""


def test_two_at_once(url: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        params = {"url": "chain.war", "workflow_name": "twice"}
        codes = pool.map(lambda _: requests.post(f"{url}/workflows", params=params, timeout=60).status_code, range(2))
    assert sorted(codes) == [200, 409]
    assert requests.post(f"{url}/wfpredict/twice", b"x", timeout=60).text == "<X>"


EXACT = [
    ("circle", 400, "InvalidDAGException", "DAG should have only one start node"),
    ("itself", 400, "InvalidDAGException", "Self loop exception"),
    ("unknown", 500, "WorkflowException", "[Failed to start workers for model unknown__none version: 1.0]"),
    ("absent", 500, "WorkflowException", "Node absent__m failed to register. Details: Model not found at: m.mar"),
    ("noload", 500, "WorkflowException", "[Failed to start workers for model noload__broken version: 2.5]"),
    ("text", 500, "ClassCastException", "class java.lang.String cannot be cast to class java.lang.Integer"),
    ("functions.py", 500, "InvalidWorkflowException", "Workflow name is not defined."),
]  # fmt: skip


def test_it_asks_for_a_token_and_is_there_again_after_a_kill(stores: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with worker.local(home, model_store=str(stores)) as running:
        headers = {"Authorization": f"Bearer {running.token}"}
        assert register(running.url, "chain").status_code == 401
        made = requests.post(f"{running.url}/workflows?url=chain.war", headers=headers, timeout=60)
        assert made.status_code == 200
        scaled = requests.put(f"{running.url}/workflows/chain?min_worker=2", headers=headers, timeout=60)
        assert scaled.status_code == 200
        os.kill(running.pid, signal.SIGKILL)
        psutil.Process(running.pid).wait(30)
    with worker.local(home, model_store=str(stores), compat="exact") as running, requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {running.token}"
        answer = session.post(f"{running.url}/wfpredict/chain", b"x", timeout=60)
        assert (answer.text, answer.headers["content-type"]) == ("<X>", "application/json")
        (described,) = session.get(f"{running.url}/workflows/chain", timeout=60).json()
        assert (described["minWorkers"], described["maxWorkers"]) == (2, 2)
        assert session.put(f"{running.url}/workflows/chain?min_worker=1", timeout=60).status_code == 405
        session.post(f"{running.url}/workflows?url=pair.war", timeout=60).raise_for_status()
        refused = session.post(f"{running.url}/wfpredict/pair", b"x", timeout=60)  # a tuple is no list to the original
        assert (refused.status_code, refused.json()["message"]) == (500, "Error executing pair")
        for name, code, kind, words in EXACT:
            url = name if "." in name else f"{name}.war"
            told = session.post(f"{running.url}/workflows?url={url}", timeout=60).json()
            assert (told["code"], told["type"], words in told["message"]) == (code, kind, True), told
