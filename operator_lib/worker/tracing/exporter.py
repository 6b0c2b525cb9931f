"""Sending spans to collectors, through the exporters of OpenTelemetry's SDK, in a thread of its own."""

from __future__ import annotations

import importlib.metadata
import logging
import queue
import threading
from collections.abc import Iterable, Mapping
from typing import Any

import operator_lib
from operator_lib.telemetry.span import Span
from operator_lib.telemetry.trace_context import TraceContext

log = logging.getLogger("operator_lib.worker")

# Spans that wait to be sent; what comes then is dropped, and counted.
ROOM = 100_000
# Spans given to the SDK before it has to send them: fewer than `OTEL_BSP_MAX_QUEUE_SIZE` by default.
AT_ONCE = 1024
# Seconds that a stopping worker waits for collectors.
PATIENCE = 5.0
INSTALL = "pip install 'operator_lib[otel]'"
_GROUP = "opentelemetry_traces_exporter"


def wanted(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the exporters that the standard variables ask for; none without any: nothing is sent by default."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return ()
    chosen = environment.get("OTEL_TRACES_EXPORTER", "").strip()
    named = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    if not chosen and any(environment.get(name) for name in named):
        chosen = "otlp"
    names = tuple(name for part in chosen.split(",") if (name := part.strip()))
    return () if "none" in names else tuple(_entry(name, environment) for name in names)


def _entry(name: str, environment: Mapping[str, str]) -> str:
    if name != "otlp":
        return name
    names = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
    protocol = next((found for each in names if (found := environment.get(each, "").strip())), "grpc")
    known = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}
    if protocol not in known:
        raise ValueError(f"OTEL_EXPORTER_OTLP_PROTOCOL: must be {' or '.join(known)}, got {protocol!r}")
    return known[protocol]


class Exporter:
    """Those of these names.

    Raises:
        ImportError: the SDK, or one of them, is not installed.
    """

    def __init__(self, names: Iterable[str]) -> None:
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        resource = Resource.create()
        if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
            resource = resource.merge(Resource({SERVICE_NAME: "operator-lib"}))
        self._resource = resource
        self._processors = [BatchSpanProcessor(_load(name)()) for name in names]
        self._waiting: queue.SimpleQueue[tuple[Iterable[Span], int] | None] = queue.SimpleQueue()
        self._count = 0
        self._given = 0
        self._dropped = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="spans", daemon=True)
        self._thread.start()

    def tell(self, spans: Iterable[Span], count: int = 1) -> None:
        """Have them sent. `count`: how many there are about; they are looked at in the other thread."""
        with self._lock:
            if self._count > ROOM:
                self._dropped += count
                return
            self._count += count
        self._waiting.put((spans, count))

    def _work(self) -> None:
        while (found := self._waiting.get()) is not None:
            spans, count = found
            try:
                for span in spans:
                    self._send(span)
            except Exception:
                log.exception("worker: spans could not be told")
            with self._lock:
                self._count -= count
                dropped, self._dropped = self._dropped, 0
            if dropped:
                log.warning("worker: %d spans were dropped: the collector is too slow, or away", dropped)
        for processor in self._processors:
            processor.shutdown()

    def _send(self, span: Span) -> None:
        readable = self._readable(span)
        self._given += 1
        for processor in self._processors:
            processor.on_end(readable)
            if self._given % AT_ONCE == 0:
                processor.force_flush()

    def _readable(self, span: Span) -> Any:
        from opentelemetry.sdk.trace import Event, ReadableSpan
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope
        from opentelemetry.trace import Link, SpanKind, Status, StatusCode

        parent = TraceContext(span.trace_id, span.parent_id) if span.parent_id else None
        links = [found for each in span.links if (found := TraceContext.parse(each)) is not None]
        return ReadableSpan(
            span.name,
            context=_context(TraceContext(span.trace_id, span.span_id)),
            parent=_context(parent) if parent is not None else None,
            resource=self._resource,
            attributes=span.attributes,
            events=[Event(name, timestamp=_nanoseconds(moment)) for name, moment in span.moments],
            links=[Link(_context(each)) for each in links],
            kind=SpanKind[span.kind],
            status=Status(StatusCode.ERROR, span.error) if span.error else Status(),
            start_time=_nanoseconds(span.start),
            end_time=_nanoseconds(max(span.start, span.end)),
            instrumentation_scope=InstrumentationScope("operator_lib", operator_lib.__version__),
        )

    def close(self) -> None:
        """Send what is left, as far as that goes in a few seconds."""
        self._waiting.put(None)
        self._thread.join(PATIENCE)


def _load(name: str) -> Any:
    found = importlib.metadata.entry_points(group=_GROUP, name=name)
    if not found:
        raise ImportError(f"there is no exporter {name!r} of traces; {INSTALL}")
    return next(iter(found)).load()


def _context(known: TraceContext) -> Any:
    from opentelemetry.trace import SpanContext, TraceFlags

    flags = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(int(known.trace_id, 16), int(known.span_id, 16), is_remote=False, trace_flags=flags)


def _nanoseconds(moment: float) -> int:
    return int(moment * 1e9)
