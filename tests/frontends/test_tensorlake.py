"""Programs written for Tensorlake functions run with another import line: here and on a worker, with equal results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import invoices
import pytest
from invoices import Dear, Invoice, Sum, graph, only_positive, split

from operator_lib import Operator, errors, options
from operator_lib.frontends.tensorlake import (
    File,
    Graph,
    GraphStillProcessing,
    Image,
    RemoteGraph,
    RequestException,
    RouteTo,
    TensorlakeCompute,
    get_ctx,
    graph_code_dir_path,
    tensorlake_function,
)

Where = Callable[[Graph], Any]


@pytest.fixture(params=["here", "on a worker"])
def where(request: pytest.FixtureRequest) -> Where:
    if request.param == "here":
        return lambda graph: graph
    request.getfixturevalue("worker")
    return lambda graph: RemoteGraph.deploy(graph, code_dir_path=graph_code_dir_path(invoices.__file__))


def test_the_whole_program(where: Where) -> None:
    place = where(graph)
    request = place.run(block_until_done=True, text="10 -3 20")
    assert place.output(request, "split") == [{"number": i, "cents": c} for i, c in enumerate((10, -3, 20))]
    assert place.output(request, "read")[1] == Invoice(number=1, cents=-3)
    assert place.output(request, "only_positive") == [Invoice(number=0, cents=10), Invoice(number=2, cents=20)]
    assert place.output(request, "add_up") == [Sum(cents=30, count=2)]
    assert place.output(request, "cheap") == ["2 for 30"]
    assert place.output(request, "dear") == []
    (said,) = place.output(request, "report")
    assert said == {"line": "2 for 30", "dear": None, "graph": "invoices", "id": request.id}
    assert place.output(request, "farewell") == ["done"]


def test_state_metrics_and_progress(where: Where) -> None:
    place = where(graph)
    *events, _ = place.stream(text="100 20")
    found = [(e["path"], e.get("metric"), e.get("name"), e.get("value")) for e in events if e["kind"] == "metric"]
    assert found == [("dear", "counter", "dear", 1), ("dear", "timer", "paid", 0.5)]
    assert [(e["path"], e["current"], e["total"]) for e in events if e["kind"] == "progress"] == [("dear", 1, 1)]
    request = place.run(True, text="100 20")
    assert place.output(request, "report")[0]["dear"] == 120


def test_a_request_that_cannot_succeed(where: Where) -> None:
    place = where(graph)
    request = place.run(block_until_done=True, text=" ")
    for name in graph.nodes:
        with pytest.raises(RequestException) as found:
            place.output(request, name)
        assert found.value.message == "an empty text"


def test_a_request_that_fails(where: Where) -> None:
    place = where(graph)
    request = place.run(block_until_done=True, text="1 x")
    assert place.output(request, "split") == place.output(request, "farewell") == []
    with pytest.raises(ValueError, match="invalid literal"):
        request.result()


@pytest.mark.usefixtures("worker")
def test_a_deployed_graph_by_name_and_a_request_by_id() -> None:
    RemoteGraph.deploy(graph)
    place = RemoteGraph.by_name("invoices")
    request = place.call(text="1 2")
    request.result(60)
    assert place.output(request.id, "cheap") == place.get_output(request.id, "cheap") == ["2 for 3"]
    assert place.request(request.id).status == "COMPLETED"
    with pytest.raises(ValueError, match="upgrade_tasks_to_latest_version"):
        RemoteGraph.deploy(graph, upgrade_tasks_to_latest_version=True)
    with pytest.raises(errors.NotFound):
        RemoteGraph.by_name("not-deployed")


def test_functions_stay_functions() -> None:
    assert split("1 2") == [{"number": 0, "cents": 1}, {"number": 1, "cents": 2}]
    assert (split.name, split.timeout, split.cpu, split.memory, split.ephemeral_disk) == ("split", 300, 1.0, 1.0, 2.0)
    assert (split.input_encoder, split.retries, split.gpu, split.next, split.cacheable) == (
        "json",
        None,
        None,
        None,
        False,
    )
    assert options.of(split).description == "Takes a\ntext apart."
    assert isinstance(split, TensorlakeCompute)
    assert isinstance(split, Operator)
    assert invoices.decide.next == [invoices.cheap, Dear]
    assert only_positive.run(Invoice(number=0, cents=0)) is None
    assert (Dear.name, Dear.timeout, Dear.memory) == ("dear", 60, 1.0)


def test_a_graph_gets_the_most_that_a_function_asks_for() -> None:
    chosen = options.of(graph)
    assert (chosen.cpu, chosen.memory, chosen.ephemeral_disk, chosen.gpu) == (2, 2, 2.0, None)


@pytest.mark.parametrize(
    "mistake",
    [{"cpu": 0.5}, {"cpu": 9}, {"memory": 33}, {"ephemeral_disk": 1.0}, {"timeout": 0}, {"timeout": 172801},
     {"input_encoder": "xml"}, {"gpu": "H100:0"}, {"name": "no spaces"}, {"retries": -1}, {"colour": "red"}],
)  # fmt: skip
def test_options_out_of_range(mistake: dict[str, Any]) -> None:
    (name,) = mistake
    with pytest.raises(errors.OptionError, match=rf"function\.{name}"):

        @tensorlake_function(**mistake)
        def function(x: int) -> int:
            return x

    if name not in ("name", "colour"):
        with pytest.raises(errors.OptionError, match=rf"function\.{name}"):
            type("function", (TensorlakeCompute,), {"run": lambda self, x: x, **mistake})


def test_how_values_reach_the_next_function() -> None:
    @tensorlake_function()
    def give(which: str) -> Any:
        return {
            "tuple": (1, 2),
            "dict": {"a": 1, "b": 2},
            "lists": [[1, 2], [3, 4]],
            "dicts": [{"a": 1, "b": 2}],
            "none": None,
        }[which]

    @tensorlake_function()
    def take(a: int, b: int) -> int:
        return a * 10 + b

    graph = Graph("values", give)
    graph.add_edge(give, take)
    expected = {"tuple": [12], "dict": [12], "lists": [12, 34], "dicts": [12], "none": []}
    assert {which: graph.output(graph.run(True, which=which), "take") for which in expected} == expected


def test_a_dict_of_data_is_one_value() -> None:
    @tensorlake_function()
    def give() -> dict:
        return {"colour": "red"}

    @tensorlake_function(accumulate=dict)
    def gather(all: dict, data: dict) -> dict:
        return all | data

    graph = Graph("data", give)
    graph.add_edge(give, gather)
    assert graph.output(graph.run(True), "gather") == [{"colour": "red"}]


def test_what_a_graph_refuses() -> None:
    with pytest.raises(ValueError, match="no function 'nowhere'"):
        graph.output(graph.run(True, text="1"), "nowhere")

    @tensorlake_function()
    def lost(x: int) -> int:
        return x

    wrong = Graph("wrong", split)
    wrong.add_edge(lost, only_positive)
    with pytest.raises(ValueError, match="not reachable from the start node split: lost, only_positive"):
        wrong.validate_graph()


def test_outputs_that_are_not_there_yet() -> None:
    import threading

    go = threading.Event()

    @tensorlake_function()
    def wait() -> bool:
        return go.wait(20)

    graph = Graph("waits", wait)
    request = graph.run()
    with pytest.raises(GraphStillProcessing):
        graph.output(request, "wait")
    go.set()
    request.result()
    assert graph.output(request, "wait") == [True]


def test_the_request_without_a_parameter_for_it() -> None:
    @tensorlake_function()
    def put(x: int) -> int:
        get_ctx().request_state.set("x", x)
        return x

    @tensorlake_function()
    def get(x: int) -> int:
        return get_ctx().request_state.get("x") + get_ctx().request_state.get("y", 1)

    graph = Graph("context", put)
    graph.add_edge(put, get)
    assert graph(5) == 6


def test_images_are_built_step_by_step() -> None:
    image = Image().name("ours")
    image.run("pip install numpy").env("K", "V")
    lines = image.dockerfile().splitlines()
    assert lines[0].startswith("FROM ")
    assert "RUN pip install numpy" in lines
    assert tensorlake_function(image=image)(lambda: 1) is not None
    assert options.of(tensorlake_function(image=image, name="f")(lambda: 1)).image == image.recipe
    assert options.of(tensorlake_function(image=Image(), name="f")(lambda: 1)).image is None


def test_files_and_routes() -> None:
    assert File(data=b"abc").data == b"abc"
    route = RouteTo(value=1, edges=split)
    assert (route.value, route.edges) == (1, (split,))


def test_the_picture() -> None:
    dag = graph.dag()
    assert dag.coverage == 1.0
    found = {n.operator: n.certainty for n in dag.nodes if n.kind == "call"}
    assert list(found) == list(graph.nodes)
    assert (found["split"], found["cheap"], found["dear"]) == ("exact", "may", "may")
