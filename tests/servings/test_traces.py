"""Spans of runs, calls and nodes, as a collector gets them that speaks OTLP."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests

from operator_lib import worker as workers
from operator_lib.client.connect import connect
from operator_lib.frontends.torchserve import Workflow
from operator_lib.wire import codec
from operator_lib.wire.proto import runs_pb2
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.wire.proto import serving_pb2_grpc as rpc
from operator_lib.worker import LocalWorker

pytest.importorskip("opentelemetry.sdk")
trace_service_pb2 = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent / "project"))

import traced  # noqa: E402

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE, PARENT = CALLER.split("-")[1:3]
ERROR = 2  # STATUS_CODE_ERROR


class Collector:
    """What has been told, by any protocol."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.services: set[str] = set()
        self._changed = threading.Condition()

    def take(self, request: Any) -> None:
        with self._changed:
            for resource in request.resource_spans:
                about = attributes(resource.resource)
                self.services.add(about["service.name"])
                for scope in resource.scope_spans:
                    self.spans += scope.spans
            self._changed.notify_all()

    def until(self, found: Any) -> Any:
        """What `found` makes of the spans, as soon as that is something."""
        with self._changed:
            return self._changed.wait_for(lambda: found(self.spans), 20) or pytest.fail(
                f"{[s.name for s in self.spans]}"
            )

    def named(self, name: str, count: int = 1, trace: str = TRACE) -> list[Any]:
        def those(spans: list[Any]) -> list[Any] | None:
            of_it = [s for s in spans if s.name == name and s.trace_id.hex() == trace]
            return of_it if len(of_it) >= count else None

        return self.until(those)


def attributes(of: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in of.attributes}


class Receiver(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self, collector: Collector) -> None:
        self.collector = collector

    def Export(self, request: Any, context: Any) -> Any:
        self.collector.take(request)
        return trace_service_pb2.ExportTraceServiceResponse()


@pytest.fixture(scope="module")
def over_grpc() -> Iterator[tuple[Collector, str]]:
    collector, server = Collector(), grpc.server(futures.ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Receiver(collector), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield collector, f"http://127.0.0.1:{port}"
    server.stop(None).wait()


@pytest.fixture(scope="module")
def worker(over_grpc: tuple[Collector, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorker]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OPERATOR_LIB_ADDRESS", "OPERATOR_LIB_TOKEN"):
            patch.delenv(name, raising=False)
        patch.setenv("OPERATOR_LIB_HOME", str(tmp_path_factory.mktemp("traced") / "home"))
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", over_grpc[1])
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        with workers.local(Path(str(tmp_path_factory.mktemp("home")))) as started:
            patch.setenv("OPERATOR_LIB_HOME", str(started.home))
            yield started


@pytest.fixture(scope="module")
def collector(over_grpc: tuple[Collector, str]) -> Collector:
    return over_grpc[0]


@pytest.fixture(scope="module")
def shop(worker: LocalWorker) -> Any:
    return traced.Shop.deploy("shop")


def post(handle: Any, method: str, value: Any, **headers: str) -> requests.Response:
    known = {"Authorization": f"Bearer {handle.token}", **headers}
    return requests.post(handle.url + method, json=value, headers=known, timeout=30)


def test_a_call_over_http_and_the_nodes_in_it(shop: Any, collector: Collector) -> None:
    assert post(shop, "price", 40, traceparent=CALLER).json() == 42
    (request,) = collector.named("POST /v1/servings/shop/price")
    assert (request.parent_span_id.hex(), attributes(request)["http.response.status_code"]) == (PARENT, 200)
    (call,) = collector.named("shop.price")
    assert call.parent_span_id == request.span_id
    (tax,) = collector.until(lambda spans: [s for s in spans if s.parent_span_id == call.span_id])
    assert attributes(tax)["operator_lib.operator"] == "tax"
    assert request.start_time_unix_nano <= call.start_time_unix_nano <= tax.start_time_unix_nano
    assert tax.end_time_unix_nano <= call.end_time_unix_nano <= request.end_time_unix_nano
    assert collector.services == {"operator-lib"}


def test_a_request_of_torchserves_interface(collector: Collector, worker: LocalWorker, tmp_path: Path) -> None:
    (tmp_path / "handler.py").write_text(
        "def first(data, context):\n    return data and ['x']\n\ndef last(data, context):\n    return data and ['y']\n"
    )
    found = Workflow.from_yaml("models: {}\ndag:\n  first: [last]\n", tmp_path / "handler.py", name="flow")
    found.deploy("flow", "serving")
    trace = TRACE.replace("0af7", "1af7")
    headers = {"Authorization": f"Bearer {worker.token}", "traceparent": CALLER.replace(TRACE, trace)}
    assert requests.post(f"{worker.url}/wfpredict/flow", b"x", headers=headers, timeout=30).text == "y"
    (request,) = collector.named("POST /wfpredict/flow", trace=trace)
    (call,) = collector.named("flow.respond", trace=trace)
    assert (request.parent_span_id.hex(), call.parent_span_id) == (PARENT, request.span_id)
    nodes = {name: collector.named(name, trace=trace) for name in ("first", "last")}
    assert {span.trace_id.hex() for spans in nodes.values() for span in spans} == {trace}


def test_a_run_its_nodes_and_what_it_calls_elsewhere(shop: Any, collector: Collector, worker: LocalWorker) -> None:
    order = traced.Order().deploy("order")
    headers = {"Authorization": f"Bearer {worker.token}", "traceparent": CALLER.replace("b7", "b8")}
    body = {"count": 3, "url": shop.url, "token": shop.token}
    answer = requests.post(f"{worker.url}/v1/jobs/order?wait=true", json=body, headers=headers, timeout=30)
    assert answer.json() == [3, 4, 5, 2]
    (run,) = collector.named("run order")
    (request,) = collector.named("POST /v1/jobs/order")
    assert run.parent_span_id == request.span_id
    about = attributes(run)
    assert (about["operator_lib.status"], about["operator_lib.attempts"]) == ("COMPLETED", 1)
    assert [event.name for event in run.events] == ["pending", "running"]
    (whole,) = collector.until(lambda spans: [s for s in spans if s.parent_span_id == run.span_id])
    (node,) = [node for node in order.dag().nodes if node.operator == "add"]
    inside = [s for s in collector.spans if s.parent_span_id == whole.span_id and "code.line.number" in attributes(s)]
    adds = [s for s in inside if s.name == "add"]
    latched = [s for s in inside if s not in adds]
    assert [attributes(s)["operator_lib.node.id"] for s in adds] == [node.id] * 3
    assert {(attributes(s)["code.file.path"], attributes(s)["code.line.number"]) for s in adds} == {
        (node.file, node.line)
    }
    # What it calls on a serving is part of the trace: below the node of the call, or the program's own span there.
    calls = collector.until(
        lambda spans: (
            len(found := [s for s in spans if s.name == "shop.price" and s.parent_span_id != PARENT]) > 3
            and [s for s in found if s.trace_id.hex() == TRACE and s.start_time_unix_nano >= run.start_time_unix_nano]
        )
    )
    assert [s.name for s in latched] == ["shop"] * 4
    handles = [s.span_id for s in latched]
    assert [s.parent_span_id in handles for s in calls] == [True] * 3 + [False]


def test_a_run_that_fails_says_why_and_without_a_caller_has_a_trace_of_its_own(
    collector: Collector, worker: Any
) -> None:
    add = traced.Add(1).deploy("add")
    first, second = add.submit(1), add.submit(-1)
    assert first.result(30) == 2
    assert isinstance(second.exception(30), ValueError)
    runs = collector.until(lambda spans: len(found := [s for s in spans if s.name == "run add"]) > 1 and found)
    by_id = {attributes(s)["operator_lib.run.id"]: s for s in runs}
    assert by_id[first.id].trace_id != by_id[second.id].trace_id
    assert not by_id[first.id].parent_span_id
    assert (by_id[first.id].status.code, by_id[second.id].status.code) == (0, ERROR)
    assert "below zero" in by_id[second.id].status.message
    (failed,) = [s for s in collector.spans if s.parent_span_id == by_id[second.id].span_id]
    assert (failed.status.code, failed.status.message) == (ERROR, "ValueError: below zero")


def test_metadata_of_grpc_name_the_caller(shop: Any, collector: Collector, worker: LocalWorker) -> None:
    caller = CALLER.replace("0af7", "2af7")
    trace = caller.split("-")[1]
    connection = connect(worker.grpc_address, worker.token)
    asked = pb.ConnectRequest(name="shop", wait=10)
    (found,) = connection.call(connection.servings.Connect, asked).endpoints
    metadata = (("authorization", f"Bearer {found.token}"), ("traceparent", caller))
    with grpc.insecure_channel(found.address) as channel:
        call = pb.Call(name="price", payload=b'{"net": 1}', json=True)
        assert rpc.CallsStub(channel).Invoke(call, metadata=metadata).payload == b"3"
    (span,) = collector.named("shop.price", trace=trace)
    assert span.parent_span_id.hex() == PARENT
    traced.Add(1).deploy("plus")
    metadata = (("authorization", f"Bearer {worker.token}"), ("traceparent", caller))
    submit = runs_pb2.SubmitRequest(job="plus", inline=codec.dumps_call((1,), {}, what=""))
    connection.runs.Submit(submit, metadata=metadata)
    (span,) = collector.named("run plus", trace=trace)
    assert span.parent_span_id.hex() == PARENT


def test_calls_by_grpc_items_and_failures(shop: Any, collector: Collector) -> None:
    from opentelemetry import trace

    with trace.get_tracer("client").start_as_current_span("mine") as mine:
        assert shop.price(1) == 3
        assert list(shop.prices([5, 6])) == [7, 8]
        with pytest.raises(ValueError):
            shop.price(-1)
    known = mine.get_span_context()
    calls = collector.named("shop.price", 2, f"{known.trace_id:032x}")
    assert {s.parent_span_id.hex() for s in calls} == {f"{known.span_id:016x}"}
    assert [s.status.message for s in calls] == ["", "ValueError: below zero"]
    assert post(shop, "prices", [1, 2], traceparent=CALLER).text.split() == ["3", "4"]
    (stream,) = collector.named("shop.prices")
    taxes = collector.until(lambda spans: [s for s in spans if s.parent_span_id == stream.span_id])
    assert len(taxes) == 2


def test_calls_that_are_carried_out_together_are_linked(collector: Collector, worker: LocalWorker) -> None:
    sums = traced.Sums().deploy("sums", "serving")
    assert [call.result(30) for call in [sums.submit(n) for n in range(40)]] == list(range(10, 50))
    calls = collector.until(lambda spans: len(found := [s for s in spans if s.name == "sums"]) >= 40 and found)
    together = next(s for s in calls if attributes(s).get("operator_lib.batch.size", 1) > 1 and not s.links)
    linked = [s for s in calls if any(link.span_id == together.span_id for link in s.links)]
    nodes = {node.id for node in sums.dag().nodes if node.operator == "add"}
    added = collector.until(lambda spans: [s for s in spans if s.parent_span_id == together.span_id])
    assert {attributes(s)["operator_lib.node.id"] for s in added} == nodes
    assert len(linked) == attributes(together)["operator_lib.batch.size"] - 1


def test_what_the_caller_does_not_keep_is_not_told(shop: Any, collector: Collector) -> None:
    before = len(collector.spans)
    assert post(shop, "price", 1, traceparent=CALLER[:-1] + "0").json() == 3
    trace = CALLER.replace("0af7", "1af7")
    assert post(shop, "price", 1, traceparent=trace).json() == 3
    collector.named("shop.price", trace=trace.split("-")[1])
    assert {s.trace_id.hex() for s in collector.spans[before:]} == {trace.split("-")[1]}


def test_over_http_the_last_ones_too_and_lines_of_access(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                data = gzip.decompress(data)
            assert self.path == "/v1/traces"
            collector.take(trace_service_pb2.ExportTraceServiceRequest.FromString(data))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *what: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OPERATOR_LIB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "ours")
    command = [sys.executable, "-m", "operator_lib", "worker"]
    subprocess.run([*command, "start", "--access-log"], check=True, timeout=60, capture_output=True)
    try:
        shop = traced.Shop.deploy("shop")
        assert post(shop, "price", 1, traceparent=CALLER).json() == 3
    finally:
        subprocess.run([*command, "stop"], check=True, timeout=60, capture_output=True)
    assert {"shop.price", "POST /v1/servings/shop/price"} <= {s.name for s in collector.spans}, (
        "sent before it has ended"
    )
    assert collector.services == {"ours"}
    server.shutdown()
    server.server_close()
    log = (tmp_path / "home" / "worker.log").read_text()
    assert f", trace {TRACE}" in log
