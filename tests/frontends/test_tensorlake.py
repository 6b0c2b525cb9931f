"""Programs written for Tensorlake functions run with another import line: here and on a worker, with equal results."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import invoices
import processes
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
    TensorlakeClient,
    TensorlakeCompute,
    get_ctx,
    graph_code_dir_path,
    tensorlake_function,
)
from operator_lib.trace import build_from_file

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


@pytest.mark.usefixtures("worker")
def test_a_client_talks_to_the_worker() -> None:
    with TensorlakeClient() as client:
        client.register_compute_graph(graph, code_dir_path=".")
        request = client.call("invoices", block_until_done=True, text="1 2")
        assert client.graph_outputs("invoices", request.id, "cheap") == ["2 for 3"]
        assert [run.id for run in client.requests("invoices")][:1] == [request.id]
        assert client.request("invoices", request.id).status == "COMPLETED"
        kinds = [event["kind"] for event in client.call_stream("invoices", text="1")]
        assert (kinds[0], kinds[-1]) == ("status", "status")
        assert RemoteGraph.by_name("invoices", client=client).output(request, "cheap") == ["2 for 3"]
        client.delete_compute_graph("invoices")
        with pytest.raises(errors.NotFound):
            client.graph("invoices")
    with pytest.raises(errors.AuthenticationError):
        TensorlakeClient(api_key="wrong").graph("invoices")


def test_a_graph_as_data() -> None:
    found = graph.definition()
    assert (found.name, found.description, dict(found.tags)) == ("invoices", "Reads invoices.", {"team": "books"})
    assert found.edges["decide"] == ["cheap", "dear"]
    assert list(found.functions) == list(graph.nodes)
    start = found.entrypoint
    assert (start.name, start.timeout_sec, start.input_encoder, start.reducer) == ("split", 300, "json", False)
    assert [(p.name, p.data_type, p.required) for p in start.parameters] == [("text", {"type": "string"}, True)]
    assert start.return_type == {"type": "array", "items": {"type": "object", "additionalProperties": True}}
    assert (start.retry_policy.max_retries, start.retry_policy.initial_delay_sec) == (0, 1.0)
    assert found.functions["add_up"].reducer
    assert [p.name for p in found.functions["dear"].parameters] == ["cents", "count"]
    resources = found.functions["farewell"].resources
    assert (resources.cpus, resources.memory_mb, resources.ephemeral_disk_mb, resources.gpus) == (1.0, 2048, 2048, [])
    assert found.functions["farewell"].retry_policy.max_retries == 1


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


def test_functions_share_a_process_that_has_what_most_of_them_ask_for(where: Where) -> None:
    """`Dear` asks for two processors, `farewell` for more memory: each has a process of its own, on a worker."""
    chosen = options.of(graph)
    assert (chosen.cpu, chosen.memory, chosen.ephemeral_disk, chosen.gpu) == (1, 1, 2.0, None)
    place = where(processes.graph)
    request = place.run(True, x=1)
    here, there, elsewhere, last = (place.output(request, name)[0] for name in ("here", "there", "Larger", "last"))
    assert here == there
    assert last == place.output(request, "pair")[0]  # what asks for the same things is no reason for a process
    alone = {elsewhere, last} - {here}
    assert len(alone) == (0 if place is processes.graph else 1)


def test_a_constructor_runs_once_in_a_process_that_calls_the_function(where: Where) -> None:
    place = where(processes.counted)
    for _ in range(2):
        request = place.run(True, times=2)
        first, second = place.output(request, "Counted")
        assert (first["made"], first["object"]) == (1, second["object"])
    assert place.output(request, "NeverReached") == []


def test_a_constructor_that_fails_fails_the_request(where: Where, tmp_path: Path) -> None:
    place = where(processes.fragile)
    request = place.run(True, file=str(tmp_path / "marker"))
    with pytest.raises(RuntimeError, match="not the first time"):
        request.result()
    request = place.run(True, file=str(tmp_path / "marker"))
    assert place.output(request, "Fragile") == ["made"]


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


def test_the_picture_from_the_text_alone() -> None:
    """Options that are attributes of classes, and those of the decorator, are read without importing anything."""
    read = build_from_file(invoices.__file__, "graph")
    live = graph.dag()
    assert (read.name, read.signature, read.doc) == ("invoices", "invoices(text: str)", "Reads invoices.")
    assert [(n.id, n.operator, n.certainty, n.line) for n in read.nodes] == [
        (n.id, n.operator, n.certainty, n.line) for n in live.nodes
    ]
    assert read.edges == live.edges


def test_every_way_to_say_options_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ways.py").write_text(WAYS)
    monkeypatch.syspath_prepend(str(tmp_path))
    live = importlib.import_module("ways").g.dag()
    assert [(n.operator, n.certainty) for n in live.nodes if n.kind == "call"] == [
        ("begin", "exact"), ("Named", "exact"), ("said", "may"), ("fold", "exact"), ("Last", "exact"),
    ]  # fmt: skip
    read = build_from_file(tmp_path / "ways.py", "g")
    assert [(n.id, n.operator, n.certainty, n.line) for n in read.nodes] == [
        (n.id, n.operator, n.certainty, n.line) for n in live.nodes
    ]
    assert (read.edges, read.signature) == (live.edges, live.signature)


WAYS = """
import operator_lib.frontends.tensorlake as sdk
from operator_lib import frontends
from operator_lib.frontends.tensorlake import TensorlakeCompute, tensorlake_function as function

class Last(TensorlakeCompute):
    use_ctx = True
    def __init__(self):
        super().__init__()
        self.step = 2
    def run(self, ctx, x: int) -> int:
        return x + self.step

@function(accumulate=int, next=Last)
def fold(total: int, x: int) -> int:
    return total + x

@sdk.tensorlake_function("said", "In words.")
def other(x: int) -> int:
    return x

class Names(TensorlakeCompute):
    name = "Named"
    next = [other]
    def run(self, x: int) -> list:
        return [x]

@function
def begin(x: int) -> int:
    return x

g = frontends.tensorlake.Graph(name="ways", start_node=begin)
g.add_edge(from_node=begin, to_node=Names)
g.add_edges(other, [fold])
"""
