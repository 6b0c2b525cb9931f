"""What stands around every request: its id, who may ask, how many at a time; and the page at a serving's URL."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path

import pytest
import requests
import web_things as things
from web_errors import error

from operator_lib import worker as workers

ORIGIN = "https://app.example"


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A worker that lets one page in, two calls of a serving at a time, and writes down who comes."""
    home = tmp_path_factory.mktemp("strict")
    with workers.local(home / "home", allow_origin=ORIGIN, max_calls="2", access_log="") as worker:
        things.Streams.deploy("streams")
        yield worker


@pytest.fixture
def token(strict):
    return {"Authorization": f"Bearer {strict.token}"}


def test_a_request_has_an_id_its_own_or_a_new_one(api):
    given = api.post("/v1/servings/area", json=2, headers={"X-Request-ID": "trace-17"})
    assert given.headers["x-request-id"] == "trace-17"
    made = [api.get("/healthz").headers["x-request-id"] for _ in range(2)]
    assert made[0] != made[1]
    for unusable in ("x" * 129, "two words", "\xe4"):
        answer = api.post("/v1/servings/area", json="x", headers={"X-Request-ID": unusable.encode("latin-1")})
        assert (answer.status_code, answer.headers["x-request-id"] == unusable) == (422, False)


def test_the_access_log_names_requests_by_their_ids(strict, token):
    path = "/v1/servings/streams/left%0D%0AGET"
    requests.post(strict.url + path, headers={**token, "X-Request-ID": "seen-1"}, timeout=20)
    while "seen-1" not in (log := (Path(strict.home) / "worker.log").read_text()):
        time.sleep(0.01)
    (line,) = [line for line in log.splitlines() if "seen-1" in line]
    assert re.search(rf"POST {re.escape(path)} 404 [\d.]+ ms, request seen-1$", line)
    assert strict.token not in log


def test_more_calls_than_a_serving_takes_are_told_to_come_back(strict, token, tmp_path):
    gate = tmp_path / "gate"
    url, body = f"{strict.url}/v1/servings/streams/held", {"path": str(gate)}
    answers: list[str] = []

    def hold() -> None:
        answer = requests.post(url, json=body, headers=token, timeout=20)
        while answer.status_code == 429:  # the one below was there first
            answer = requests.post(url, json=body, headers=token, timeout=20)
        answers.append(answer.text)

    held = [threading.Thread(target=hold) for _ in range(2)]
    for thread in held:
        thread.start()
    answer = requests.post(url + "?timeout=0.05", json=body, headers=token, timeout=20)
    while answer.status_code != 429:  # the two are not there yet
        answer = requests.post(url + "?timeout=0.05", json=body, headers=token, timeout=20)
    assert "2 calls of streams" in error(answer, 429, "QueueFull")["message"]
    assert int(answer.headers["retry-after"]) >= 1
    gate.touch()
    for thread in held:
        thread.join()
    assert answers == ["0\n1\n", "0\n1\n"]
    assert requests.post(f"{strict.url}/v1/servings/streams/left", json={}, headers=token, timeout=20).ok


def test_pages_of_other_origins_are_refused_unless_let_in(api, strict, token):
    error(api.post("/v1/servings/area", json=2, headers={"Origin": ORIGIN}), 403, "Forbidden")
    url = f"{strict.url}/v1/servings/streams/left"
    error(
        requests.post(url, json={}, headers={**token, "Origin": "https://evil.example"}, timeout=20), 403, "Forbidden"
    )
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    before = requests.options(url, headers=asked, timeout=20)
    assert (before.status_code, before.headers["access-control-allow-origin"]) == (204, ORIGIN)
    assert "Authorization" in before.headers["access-control-allow-headers"]
    error(requests.options(url, headers={**asked, "Origin": "https://evil.example"}, timeout=20), 403, "Forbidden")
    answer = requests.post(url, json={}, headers={**token, "Origin": ORIGIN}, timeout=20)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, ORIGIN)
    assert "X-Request-ID" in answer.headers["access-control-expose-headers"]
    refused = requests.post(url, json={}, headers={"Origin": ORIGIN}, timeout=20)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, ORIGIN)


@pytest.mark.parametrize("origin", ["*", "https://*.example", "app.example", "https://app.example/", "null"])
def test_an_origin_that_is_none_keeps_the_worker_from_starting(tmp_path, origin):
    from operator_lib.worker.config import Config

    with pytest.raises(ValueError, match="--allow-origin"):
        Config(tmp_path, allow_origins=(origin,)).check()


def test_head_and_options_say_what_there_is(api):
    assert api.head("/v1/servings/area/").status_code == 200
    assert api.head("/v1/servings/nothing").status_code == 404
    assert api.options("/v1/servings/area").headers["allow"] == "GET, HEAD, OPTIONS, POST"
    answer = api.delete("/v1/servings/area/x")
    assert (answer.status_code, answer.headers["allow"]) == (405, "OPTIONS, POST")


def test_a_connection_is_used_again_after_an_error(api):
    for body, status in (("2", 200), ("{", 400), ('{"width": "x"}', 422), ("2", 200)):
        assert api.post("/v1/servings/area", data=body).status_code == status


def test_the_page_runs_scripts_of_the_worker_and_nothing_else(api):
    url = f"{api.worker.url}/v1/servings/area/"
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = requests.get(url, headers=browser, timeout=20)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert (policy["default-src"], policy["script-src"], policy["style-src"]) == ("'none'", "'self'", "'self'")
    assert (policy["connect-src"], policy["frame-ancestors"]) == ("'self'", "'none'")
    assert not re.search(r"<script[^>]*>[^<]|<style|(src|href)=.https?:|//cdn|\son\w+=|style=", page.text)
    nowhere = requests.get(f"{api.worker.url}/v1/servings/nothing", headers=browser, timeout=20)
    assert nowhere.text == page.text  # it gives nothing away
    assert requests.get(url + "openapi.json", headers=browser, timeout=20).status_code == 401
    assert requests.get(url, timeout=20).status_code == 401


def test_calls_share_replicas_and_a_new_version_fails_none(api, tmp_path):
    """Over HTTP while versions change."""
    where = {"address": api.worker.grpc_address, "token": api.worker.token}
    failed: list[str] = []
    over = threading.Event()

    def calls() -> None:
        with requests.Session() as session:
            while not over.is_set():
                answer = session.post(
                    f"{api.worker.url}/v1/servings/changing/number", json=5, headers=dict(api.headers), timeout=30
                )
                if answer.status_code != 200 or answer.json() != 5:
                    failed.append(answer.text)

    things.Media.deploy("changing", **where)
    threads = [threading.Thread(target=calls) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(2):
        things.Media.deploy("changing", description=f"version {number}", **where)
    over.set()
    for thread in threads:
        thread.join()
    assert failed == []
