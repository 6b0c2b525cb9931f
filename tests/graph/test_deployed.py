"""On a worker a graph does what it does here."""

from __future__ import annotations

import pytest
import requests
from functions import (
    Around,
    AroundOnce,
    diamond,
    fail_for_three,
    nested,
    once,
    plus_one,
    recall,
    remember,
    routed,
    squares,
    write_down,
)

from operator_lib import Graph, Operator, Retries, errors
from operator_lib.worker import LocalWorker

pytestmark = pytest.mark.usefixtures("worker")


def test_calls_runs_and_outputs() -> None:
    handle = squares.deploy("squares")
    assert handle(4) == squares(4) == 14
    assert handle(n=0) == 0
    assert handle.map(range(5)) == [0, 0, 1, 5, 14]
    run = handle.submit(4)
    assert run.result(60) == 14
    assert run.output("count") == [[0, 1, 2, 3]]
    assert squares.output(run, "square") == [0, 1, 4, 9]
    assert run.outputs() == squares.run(True, n=4).outputs()
    assert run.output("squares") == [14]
    with pytest.raises(errors.NotFound, match="no output of 'cube'; stored: count, square, squares, total"):
        run.output("cube")
    with pytest.raises(TypeError, match="unexpected keyword argument 'm'"):
        handle(m=1)


def test_who_has_none_of_its_code() -> None:
    diamond().deploy("diamond")
    handle = Operator.from_job("diamond")
    run = handle.submit(x=2)
    assert run.result(60) == (3, 20)
    assert run.output("plus_one") == [3]


def test_the_picture_is_lit() -> None:
    run = routed.deploy("routed").submit(3)
    assert run.result(60) == "3 is odd"
    assert run.output("even") == []
    found = {n.operator: (n.status, n.count) for n in run.dag().nodes if n.kind == "call"}
    assert found == {"parity": ("done", 1), "even": ("skipped", 0), "odd": ("done", 1)}
    assert [n.id for n in run.dag().nodes] == [n.id for n in routed.dag().nodes]


def test_a_failure_leaves_what_was_finished() -> None:
    graph = Graph("fails", squares.functions["count"].with_options(next=fail_for_three))
    run = graph.deploy("fails").submit(5)
    with pytest.raises(ValueError, match="three is not wanted"):
        run.result(60)
    assert run.output("count") == [[0, 1, 2, 3, 4]]
    assert set(run.output("fail_for_three")) <= {0, 1, 2, 4}


def test_context_state_and_retries(tmp_path) -> None:
    run = Graph("remembers", remember).add_edge(remember, recall).deploy("remembers").submit(5)
    assert run.result(60) == (5, run.id, "remembers")
    assert [e["message"] for e in run.events() if e["kind"] == "progress"] == ["half-way"]
    patient = Graph("patient", write_down, retries=Retries(2, initial_delay=0)).deploy("patient")
    assert patient(str(tmp_path / "file")) == "xxx"


def test_nested() -> None:
    handle = Around().deploy("around")
    run = handle.submit(4)
    assert run.result(60) == 14**2
    assert run.output("graph.square") == [0, 1, 4, 9]
    assert Graph("outer", squares).deploy("outer")(4) == 14


@pytest.mark.parametrize("made", [once, AroundOnce])
def test_functions_that_are_done_are_not_called_again(made, tmp_path) -> None:
    run = made().deploy(f"once-{made.__name__}").submit(str(tmp_path / "file"))
    with pytest.raises(RuntimeError, match="for the first time"):
        run.result(60)
    assert run.resume().result(60) == "note route last last "


def test_outputs_of_a_graph_in_a_graph_keep_the_order_of_the_inputs(tmp_path) -> None:
    """And they are there when a run was resumed, too."""
    run = nested().deploy("nested").submit(str(tmp_path / "told"))
    with pytest.raises(RuntimeError, match="for the first time"):
        run.result(60)
    inside = {"inner": [1, 2, 3], "inner.slower_first": [0, 1, 2], "inner.plus_one": [1, 2, 3]}
    assert {name: run.output(name) for name in inside} == inside
    run = run.resume()
    assert run.result(60) == 6
    assert run.outputs() == {"": [6], "where_to_note": [[0, 1, 2]], "total": [6], "tell": [6], **inside}


def test_over_http(worker: LocalWorker) -> None:
    squares.deploy("squares-http")
    with requests.Session() as web:
        web.trust_env = False
        web.headers["Authorization"] = f"Bearer {worker.token}"
        answer = web.post(f"{worker.url}/v1/graphs/squares-http?wait=true", json={"n": 4}, timeout=60)
        assert (answer.status_code, answer.json()) == (200, 14)
        assert web.post(f"{worker.url}/v1/graphs/squares-http", json={"m": 4}, timeout=60).status_code == 422
        plus_one.deploy("plain-http")
        listed = {plural: web.get(f"{worker.url}/v1/{plural}").json()[plural] for plural in ("graphs", "jobs")}
        assert "plain-http" in [each["name"] for each in listed["jobs"]]
        assert [each["name"] for each in listed["graphs"] if each["name"].endswith("-http")] == ["squares-http"]
        (run,) = web.get(f"{worker.url}/v1/runs?job=squares-http", timeout=60).json()["runs"]
        place = f"{worker.url}/v1/runs/{run['id']}/outputs"
        outputs = {"squares-http": [14], "count": [[0, 1, 2, 3]], "square": [0, 1, 4, 9], "total": [14]}
        assert web.get(place, timeout=60).json() == {"outputs": outputs}
        assert web.get(f"{place}/square", timeout=60).json() == [0, 1, 4, 9]
        assert web.get(f"{place}/cube", timeout=60).status_code == 404
