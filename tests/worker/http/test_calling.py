"""POST /v1/servings/{name}/{method}: a call from any language."""

from __future__ import annotations

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import web_things as things
from web_errors import error

from operator_lib import Operator


def test_values_and_errors_of_methods(api):
    assert api.post("/v1/servings/area", json={"width": 2, "height": 3}).json() == 6.0
    assert api.post("/v1/servings/area/", json=2).json() == 2.0
    assert api.post("/v1/servings/web-store/put", json={"name": "tea", "price": 3}).json() >= 1
    found = error(api.post("/v1/servings/web-store/boom"), 500, "ValueError")
    assert (found["message"], "in boom" in found["details"]["traceback"]) == ("boom", True)


@pytest.mark.parametrize("method", ["nothing", "_private", "prices", "__init__", "deploy", "put.x"])
def test_what_is_no_method_is_not_there(api, method):
    error(api.post(f"/v1/servings/web-store/{method}", json={}), 404, "NotFound")


def test_an_object_that_cannot_be_called_names_its_methods(api):
    assert "put" in error(api.post("/v1/servings/web-store", json={}), 404, "NotFound")["message"]


def test_a_generator_answers_line_by_line(api):
    answer = api.post("/v1/servings/web-store/names", json=2)
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line) for line in answer.iter_lines()] == ["name 0", "name 1"]
    broken = [json.loads(line) for line in api.post("/v1/servings/web-store/breaks").iter_lines()]
    assert broken[0] == 1
    assert broken[1]["error"]["type"] == "ValueError"


def test_a_reader_that_goes_away_ends_the_generator(api):
    store = Operator.from_serving(f"{api.worker.url}/v1/servings/web-store/", api.worker.token)
    with requests.post(
        f"{api.worker.url}/v1/servings/web-store/endless", headers=dict(api.headers), stream=True, timeout=30
    ) as answer:
        assert next(answer.iter_lines()) == b"0"
    end = time.monotonic() + 20
    while store.open:
        assert time.monotonic() < end, "the generator goes on"
        time.sleep(0.01)


def test_large_bodies_and_answers_pass(api):
    text = "x" * (7 << 20)
    assert api.post("/v1/servings/web-store/echo", json=text).json() == text


def test_calls_in_batches_as_json_and_as_bytes(api):
    def one(number: int) -> requests.Response:
        data = b"x" * number
        if number % 2:
            body = json.dumps({"items": base64.b64encode(data).decode()})
            return api.post("/v1/servings/lengths", data=body)
        return api.post("/v1/servings/lengths", data=data, headers={"Content-Type": "application/octet-stream"})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(24)))
    error(answers[0], 500, "ValueError")  # alone
    assert [answer.json() for answer in answers[1:]] == list(range(1, 24))


def test_the_time_limit_of_an_operator_holds(api):
    found = error(api.post("/v1/servings/endures", json=60), 504, "OperatorTimeout")
    assert "endures" in found["message"]
    assert api.post("/v1/servings/endures", json=0.01).json() == 0.01


def test_a_call_that_a_dead_replica_had_started_is_told_so_and_others_are_not(api):
    """What waits for its turn is sent to the next replica."""
    where = {"address": api.worker.grpc_address, "token": api.worker.token}
    things.Dies.deploy("dies", **where)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(api.post, "/v1/servings/dies/die_after", json=1.0)
        others = [pool.submit(api.post, "/v1/servings/dies/number", json=n) for n in range(2)]
        error(first.result(), 500, "WorkerDied")
        assert [each.result().json() for each in others] == [0, 1]
