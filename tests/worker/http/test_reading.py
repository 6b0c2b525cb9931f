"""Runs, their results and graphs, and what is deployed, over HTTP."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

import pytest
from web_errors import error

from operator_lib import DAG
from operator_lib.wire import codec


def finished(api, job, body=None):
    """The path of a run that has ended."""
    return api.post(f"/v1/jobs/{job}?wait=true", json=body or {}).headers["location"]


def test_runs_are_listed_page_by_page_newest_first(api):
    made = [finished(api, "items", {"count": n}).rpartition("/")[2] for n in range(5)]
    seen, query = [], "job=items&status=COMPLETED&limit=2"
    while query:
        page = api.get(f"/v1/runs?{query}").json()
        assert len(page["runs"]) <= 2
        seen += [run["id"] for run in page["runs"]]
        query = page["next"] and f"job=items&status=COMPLETED&limit=2&cursor={page['next']}"
    assert seen[:5] == made[::-1]
    assert len(seen) == len(set(seen))
    everything = api.get("/v1/runs?job=items&limit=1000").json()
    assert [run["id"] for run in everything["runs"]] == seen
    assert everything["next"] is None
    assert api.get("/v1/runs?job=nothing").json() == {"runs": [], "next": None}
    error(api.get("/v1/runs?cursor=nothing"), 404, "NotFound")


def test_results_of_the_json_codec_are_plain_json(api):
    place = finished(api, "rich")
    value = {"tuple": [1, [2]], "none": None, "date": "2020-01-02", "image": {"width": 3, "name": None}}
    assert api.get(f"{place}/result").json() == value
    assert api.get(f"{place}/outputs").json() == {"outputs": {"rich": [value]}}
    assert api.get(f"{place}/outputs/rich").json() == [value]
    assert "stored: rich" in error(api.get(f"{place}/outputs/other"), 404, "NotFound")["message"]
    assert api.get(f"{finished(api, 'surrogate')}/result").json() == "\ud800"


def test_a_pickle_is_handed_over_but_never_opened(api):
    answer = api.post("/v1/jobs/pickled?wait=true")
    assert "never opens" in error(answer, 406, "NotAcceptable")["message"]
    place = answer.headers["location"]
    error(api.get(f"{place}/result"), 406, "NotAcceptable")
    error(api.get(f"{place}/outputs"), 406, "NotAcceptable")
    raw = api.get(f"{place}/result", headers={"Accept": "application/octet-stream"})
    head, _, frame = raw.content.partition(b"\n")
    assert json.loads(head)["shape"] == "value"
    assert codec.loads(frame, allow=("cloudpickle",))() == 1


def test_a_run_lights_up_its_graph(api, tmp_path):
    static = DAG.from_json(api.get("/v1/jobs/pipe/dag").text)
    assert {node.status for node in static.nodes} == {"pending"}
    place = finished(api, "pipe", {"x": 1})
    lit = DAG.from_json(api.get(f"{place}/dag").text)
    assert [node.id for node in lit.nodes] == [node.id for node in static.nodes]
    assert (lit.node("double").status, lit.node("double").count) == ("done", 1)
    for path in (f"{place}/dag.svg", "/v1/jobs/pipe/dag.svg", "/v1/graphs/pipe/dag.svg"):
        answer = api.get(path)
        assert answer.headers["content-type"] == "image/svg+xml"
        assert ElementTree.fromstring(answer.content).tag.endswith("svg")


def test_cancelling(api, tmp_path):
    place = api.post("/v1/jobs/waits", json=str(tmp_path / "never")).headers["location"]
    assert api.delete(place).json()["status"] in ("PENDING", "RUNNING", "CANCELLED")
    error(api.get(f"{place}/result?wait=true"), 409, "Cancelled")
    again = api.delete(place)
    assert (again.status_code, again.json()["status"]) == (200, "CANCELLED")
    done = finished(api, "pipe", {"x": 1})
    assert api.delete(done).json()["status"] == "COMPLETED"
    error(api.delete("/v1/runs/nothing"), 404, "NotFound")


@pytest.mark.parametrize("plural", ["jobs", "graphs", "servings"])
def test_what_is_deployed(api, plural):
    name, kind = ("area", "serving") if plural == "servings" else ("pipe", "job")
    listed = {each["name"]: each for each in api.get(f"/v1/{plural}").json()[plural]}
    assert all(each["kind"] == kind for each in listed.values())
    one = api.get(f"/v1/{plural}/{name}").json()
    if plural == "graphs":  # a job may be asked for as one, but only what was declared as one is listed
        assert name not in listed
    else:
        assert {key: one[key] for key in listed[name]} == listed[name]
    assert one["kind"] == kind
    versions = api.get(f"/v1/{plural}/{name}/versions").json()["versions"]
    assert [(v["number"], v["status"]) for v in versions] == [(1, "ready")]
    assert api.get(f"/v1/{plural}/{name}/dag?version=1").status_code == 200
    for end in ("", "/versions", "/dag", "/dag.svg", "/schema"):
        error(api.get(f"/v1/{plural}/nothing{end}"), 404, "NotFound")
    error(api.get(f"/v1/{plural}/{name}/dag?version=7"), 404, "NotFound")


def test_the_schema_says_what_a_body_may_be(api):
    method = api.get("/v1/servings/area/schema").json()["methods"][""]
    assert method["doc"] == "Of a rectangle."
    by_name, alone = method["input_schema"]["anyOf"]
    assert by_name["required"] == ["width"]
    assert alone == {"type": "number"}
    assert method["output_schema"] == {"type": "number"}


def test_methods_that_a_path_does_not_take(api):
    for method, path, allow in [
        ("PUT", "/v1/jobs/pipe", "GET, HEAD, OPTIONS, POST"),
        ("POST", "/v1/runs/x", "DELETE, GET, HEAD, OPTIONS"),
        ("PATCH", "/metrics", "GET, HEAD, OPTIONS"),
    ]:
        answer = api.request(method, path)
        error(answer, 405, "MethodNotAllowed")
        assert answer.headers["allow"] == allow
        options = api.options(path)
        assert (options.status_code, options.headers["allow"], options.content) == (204, allow, b"")
    error(api.get("/v1/jobs/"), 404, "NotFound")


def test_head_is_get_without_the_body(api):
    place = finished(api, "pipe", {"x": 1})
    for path in ("/v1/jobs", f"{place}/result", f"{place}/events", f"{place}/logs?follow=true", "/metrics"):
        head, got = api.head(path), api.get(path)
        assert (head.status_code, head.content) == (200, b""), path
        assert head.headers["content-type"] == got.headers["content-type"]


def test_metrics_tell_what_has_happened(api):
    runs, spent = 'operator_lib_runs{status="COMPLETED"}', "operator_lib_run_duration_seconds_count"
    ended = f'{spent}{{job="pipe",status="COMPLETED"}}'
    calls = 'operator_lib_http_call_duration_seconds_count{code="200",method="put",serving="web-store"}'
    before = [api.metric(name) for name in (runs, ended, calls)]
    finished(api, "pipe", {"x": 1})
    api.post("/v1/servings/web-store/put", json={"name": "a", "price": 1})
    assert [api.metric(name) for name in (runs, ended, calls)] == [value + 1 for value in before]
    assert api.metric('operator_lib_replicas{serving="web-store",status="ready"}') == 1
    assert api.metric("operator_lib_runs_queued") == 0
    assert api.metric("operator_lib_accepting") == 1
    assert api.metric('operator_lib_http_requests_total{code="200",method="GET"}') > 0
