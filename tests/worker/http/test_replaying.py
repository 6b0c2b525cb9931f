"""POST /v1/runs/{id}/replay: a new run that takes over what an old one has finished."""

from __future__ import annotations

import pytest
from web_errors import error


@pytest.fixture
def run(api):
    answer = api.post("/v1/jobs/pipe?wait=true", json=4)
    assert answer.json() == 8
    return answer.headers["location"]


def replayed(api, answer):
    """The value of the new run, and what its calls came to."""
    assert answer.status_code == 202
    place = answer.headers["location"]
    value = api.get(f"{place}/result?wait=true").json()
    return value, [node["status"] for node in api.get(f"{place}/dag").json()["nodes"] if node["kind"] == "call"]


def test_without_a_body_the_arguments_are_the_old_ones(api, run):
    value, calls = replayed(api, api.post(f"{run}/replay"))
    assert value == 8
    assert set(calls) == {"cached"}


def test_a_body_is_other_arguments(api, run):
    value, calls = replayed(api, api.post(f"{run}/replay", json={"x": 5}))
    assert value == 10
    assert set(calls) == {"done"}
    said = error(api.post(f"{run}/replay", json={"x": "five"}), 422, "ValidationError")
    assert said["details"][0]["path"] == "x"


def test_from_a_node_on(api, run):
    node = next(n["operator"] for n in api.get(f"{run}/dag").json()["nodes"] if n["kind"] == "call")
    value, calls = replayed(api, api.post(f"{run}/replay", params={"from_node": node}))
    assert value == 8
    assert "done" in calls
    assert "it has: " in error(api.post(f"{run}/replay?from_node=nothing"), 404, "NotFound")["message"]


def test_the_same_key_gives_the_same_replay(api, run):
    headers = {"Idempotency-Key": f"again-{run}"}
    first, second = (api.post(f"{run}/replay", headers=headers).json()["id"] for _ in range(2))
    assert first == second


def test_what_is_not_there(api, run):
    error(api.post("/v1/runs/nothing/replay"), 404, "NotFound")
    assert "has no version 99" in error(api.post(f"{run}/replay?version=99"), 404, "NotFound")["message"]
