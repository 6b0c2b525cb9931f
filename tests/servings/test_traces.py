"""Spans of runs, calls and nodes, as a collector gets them that speaks OTLP."""

from __future__ import annotations

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

from operator_lib import Operator
from operator_lib import worker as workers
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
            return self._changed.wait_for(lambda: found(self.spans), 20) or pytest.fail(f"{[s.name for s in self.spans]}")

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
