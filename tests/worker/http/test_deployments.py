"""Deployments over HTTP: all of them at once, how they fare, what can be changed, and by whom."""

from __future__ import annotations

import pytest
import requests

AREA = "/v1/deployments/serving/area"


def test_all_are_listed_with_what_they_did_last(api):
    api.post("/v1/jobs/order?wait=true", json={"first": 1, "second": 2})
    rows = {(row["kind"], row["name"]): row for row in api.get("/v1/deployments").json()["deployments"]}
    order = rows["job", "order"]
    assert order["last"][0]["status"] == "COMPLETED"
    assert order["counts"]["COMPLETED"] == len(api.get("/v1/runs?job=order&status=COMPLETED").json()["runs"])
    assert rows["job", "pipe"]["description"] == "Doubles and adds."  # of the class
    assert (rows["serving", "area"]["form"], rows["serving", "area"]["wanted"]) == ("operator", 1)


def test_what_a_serving_did_is_there_as_points(api):
    api.get(f"{AREA}/stats")
    before = api.get(f"{AREA}/stats").json()
    for n in range(5):
        api.post("/v1/servings/area", json=n)
    points: list[dict] = []
    since = before["points"][-1]["t"] if before["points"] else 0
    while sum(point["calls"] for point in points) < 5:
        points = api.get(f"{AREA}/stats?since={since}").json()["points"]
    assert sum(point["calls"] for point in points) == 5
    assert all(point["t"] > since for point in points)
    assert max(point["p99_ms"] for point in points) > 0
    assert api.get(f"{AREA}/stats").json()["calls"] == before["calls"] + 5


def test_the_token_of_a_serving_changes_nothing(api):
    import web_things as things

    token = things.area.deploy("area", address=api.worker.grpc_address, token=api.worker.token).token
    own = {"Authorization": f"Bearer {token}"}
    url = api.worker.url
    assert requests.post(f"{url}/v1/servings/area", json=2, headers=own, timeout=10).status_code == 200
    for method, end, body in (("POST", "/scale", {"replicas": 0}), ("DELETE", "", None), ("GET", "/logs", None)):
        assert requests.request(method, url + AREA + end, json=body, headers=own, timeout=10).status_code == 401
    assert api.get("/v1/servings/area/").json()["replicas"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", f"{AREA}/scale", {"replicas": -1}, 422, "replicas"),
        ("POST", f"{AREA}/scale", {"replicas": 10**6}, 422, "256"),
        ("POST", f"{AREA}/scale", {}, 422, "replicas: is missing"),
        ("POST", "/v1/deployments/job/order/scale", {"replicas": 1}, 409, "a job"),
        ("POST", "/v1/deployments/job/order/rollback", {"version": 77}, 404, "77"),
        ("DELETE", "/v1/deployments/job/nothing", None, 404, "no job 'nothing'"),
        ("DELETE", "/v1/deployments/thing/order", None, 404, "job and serving"),
        ("GET", "/v1/deployments/job/order/diff?before=9", None, 404, "version 9"),
        ("GET", f"{AREA}/layout?folded={'x' * 6000}", None, 400, "at most 5000 characters"),
        ("POST", "/v1/schedules/none/pause", None, 404, "no schedule"),
    ],
)
def test_what_does_not_fit_is_refused(api, method, path, body, status, words):
    answer = api.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["error"]["message"]
