"""POST /v1/jobs/{name}: accepting runs, waiting for them, giving them twice."""

from __future__ import annotations

import pytest
import requests
import web_things as things
from web_errors import error

from operator_lib import Operator
from operator_lib import worker as workers


def test_a_run_is_accepted_and_told_where_it_is(api):
    answer = api.post("/v1/jobs/pipe", json={"x": 2, "images": [{"width": 3}]})
    assert answer.status_code == 202
    state = answer.json()
    assert state["id"] == state["run_id"]
    assert state["status"] in ("PENDING", "RUNNING")
    assert answer.headers["location"] == f"/v1/runs/{state['id']}"
    done = api.get(f"{answer.headers['location']}/result?wait=true")
    assert (done.status_code, done.json()) == (200, 7)


@pytest.mark.parametrize("kind", ["jobs", "graphs"])
def test_waiting_answers_the_value_and_where_the_run_is(api, kind):
    answer = api.post(f"/v1/{kind}/pipe?wait=true", json=4)
    assert (answer.status_code, answer.json()) == (200, 8)
    assert api.get(answer.headers["location"]).json()["status"] == "COMPLETED"


def test_nothing_at_all_is_no_arguments(api):
    assert api.post("/v1/jobs/typed?wait=true").status_code == 200


def test_a_generator_answers_an_array(api):
    assert api.post("/v1/jobs/items?wait=true", json=3).json() == [0, 1, 2]


def test_positional_only_arguments_are_given_by_name_all_the_same(api):
    assert api.post("/v1/jobs/order?wait=true", json={"second": 2, "first": 1}).json() == [1, 2, 3]


def test_values_become_what_the_annotations_say(api):
    sent = {
        "when": "2020-01-02T03:04:05",
        "ratio": "NaN",
        "price": 2,
        "colour": "GREEN",
        "raw": "aGk=",
        "size": {"width": 1},
    }
    said = api.post("/v1/jobs/typed?wait=true", json=sent).json()
    assert said == (
        "datetime.datetime(2020, 1, 2, 3, 4, 5) nan Decimal('2') <Colour.GREEN: 'g'> b'hi' Image(width=1, name=None)"
    )


def test_what_is_not_finished_in_time_goes_on(api, tmp_path):
    sign = tmp_path / "sign"
    answer = api.post("/v1/jobs/waits?wait=true&timeout=0", json=str(sign))
    assert answer.status_code == 202
    place = answer.headers["location"]
    early = error(api.get(f"{place}/result"), 409, "NotReady")
    assert early["details"]["run_id"] == answer.json()["id"]
    assert error(api.get(f"{place}/outputs/waits"), 409, "NotReady")["details"]["run_id"] == early["details"]["run_id"]
    assert api.get(f"{place}/result?wait=true&timeout=0.01").status_code == 202
    sign.touch()
    assert api.get(f"{place}/result?wait=true").json() == "seen"


@pytest.mark.parametrize(
    ("job", "body", "status", "kind", "words"),
    [
        ("fails", "request", 400, "RequestError", "this will never do"),
        ("fails", "other", 500, "KeyError", "'other'"),
        ("fails", "exit", 500, "WorkerDied", "exit 3"),
        ("too_slow", {}, 504, "OperatorTimeout", "the limit is 1 s"),
    ],
)
def test_the_error_of_a_run_has_the_status_that_fits(api, job, body, status, kind, words):
    answer = api.post(f"/v1/jobs/{job}?wait=true", json=body)
    found = error(answer, status, kind)
    assert words in found["message"]
    assert answer.headers["location"] == f"/v1/runs/{found['details']['run_id']}"
    later = api.get(answer.headers["location"])
    assert later.json()["error"] == found
    assert api.get(answer.headers["location"] + "/result").status_code == status


def test_the_same_key_is_the_same_run_however_the_arguments_are_written(api):
    headers = {"Idempotency-Key": "once", "Content-Type": "application/json"}
    first = api.post("/v1/jobs/pipe", data='{"x": 1, "images": []}', headers=headers).json()
    again = api.post("/v1/jobs/pipe", data='{ "images":[],"x":1 }', headers=headers).json()
    assert again["id"] == first["id"]
    found = error(api.post("/v1/jobs/pipe", data='{"x": 2}', headers=headers), 409, "Conflict")
    assert first["id"] in found["message"]
    elsewhere = api.post("/v1/jobs/order", data='{"first": 1, "second": 2}', headers=headers)
    assert elsewhere.json()["id"] != first["id"]


def test_a_key_that_is_none_is_refused(api):
    for key in ("", "two words", "k" * 256):
        error(api.post("/v1/jobs/pipe", json=1, headers={"Idempotency-Key": key}), 400, "ValidationError")


def test_a_version_can_be_asked_for(api):
    assert api.post("/v1/jobs/pipe?version=1", json=1).json()["version"] == 1
    assert "has no version 99" in error(api.post("/v1/jobs/pipe?version=99", json=1), 404, "NotFound")["message"]


def test_what_is_not_there_is_said_with_what_is(api):
    known = [job["name"] for job in api.get("/v1/jobs").json()["jobs"]]
    assert "pipe" in known
    listed = error(api.post("/v1/jobs/pip", json=1), 404, "NotFound")["message"].partition("there is: ")[2]
    *whole, last = listed.split(", ")
    assert set(whole) <= set(known)
    assert any(name.startswith(last.rstrip(",")) for name in known)
    assert "pipe" in whole or len(listed) == 500  # no longer than that, however many there are
    assert "area" in error(api.post("/v1/servings/pipe", json=1), 404, "NotFound")["message"]


def test_runs_over_http_and_from_python_are_the_same_runs(api):
    handle = Operator.from_job("pipe", address=api.worker.grpc_address, token=api.worker.token)
    mine = handle.submit(5)
    assert mine.result(30) == 10
    assert api.get(f"/v1/runs/{mine.id}/result").json() == 10
    theirs = api.post("/v1/jobs/pipe?wait=true", json=6).headers["location"].rpartition("/")[2]
    assert [run.result(30) for run in handle.runs(100) if run.id == theirs] == [12]


def test_a_run_that_was_accepted_survives_the_worker(tmp_path):
    sign, home = tmp_path / "sign", tmp_path / "home"
    with workers.local(home, drain="0") as first:
        things.waits.deploy("waits")
        headers = {"Authorization": f"Bearer {first.token}"}
        answer = requests.post(first.url + "/v1/jobs/waits", json=str(sign), headers=headers, timeout=30)
        assert answer.status_code == 202
    sign.touch()
    with workers.local(home) as second:
        place = f"{second.url}{answer.headers['location']}/result?wait=true"
        assert requests.get(place, headers=headers, timeout=60).json() == "seen"
