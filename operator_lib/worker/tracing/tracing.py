"""What of the worker has spans, and where they come from."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import grpc

from operator_lib.engine.events import from_lines as events_of
from operator_lib.telemetry.span import SERVER, Span, from_lines
from operator_lib.telemetry.trace_context import Sampling, TraceContext, span_id_of, trace_id_of
from operator_lib.trace.lit.shape import Shape
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.worker.places import Places
from operator_lib.worker.store.base import RunRow, Store, VersionRow
from operator_lib.worker.tasks import Tasks
from operator_lib.worker.tracing.exporter import INSTALL, Exporter, wanted
from operator_lib.worker.tracing.nodes import Nodes, shape_of
from operator_lib.worker.tracing.run_spans import RunSpans

if TYPE_CHECKING:
    from operator_lib.worker.http.head import Head
    from operator_lib.worker.replicas import Replica

log = logging.getLogger("operator_lib.worker")

# Graphs of versions that are kept.
GRAPHS = 100
# Requests whose paths name what is deployed, not single runs.
NAMED = ("/v1/servings/", "/v1/jobs/", "/v1/graphs/", "/wfpredict/")
# Strangers do not fill collectors.
REFUSED = (401, 403)
# Bytes of a history that are read at a time.
CHUNK = 1 << 20


class Tracing:
    """Off unless the standard variables of OpenTelemetry name where spans go to."""

    def __init__(self, environment: Mapping[str, str], store: Store, where: Places) -> None:
        self._store = store
        self._places = where
        self._exporter: Exporter | None = None
        self._sampling: Sampling | None = None
        self._graphs: dict[tuple[str, int], Shape | None] = {}
        self._tasks = Tasks()
        try:
            names = wanted(environment)
            if names:
                self._sampling, self._exporter = Sampling.of(environment), Exporter(names)
        except ImportError as missing:
            log.warning("worker: no traces: %s (%s)", missing, INSTALL)
        except ValueError as problem:
            log.warning("worker: no traces: %s", problem)
        self.on = self._exporter is not None

    @property
    def sampling(self) -> str:
        """For processes that make spans themselves; empty when there are none."""
        return str(self._sampling) if self._exporter is not None else ""

    # --- runs ----------------------------------------------------------------------------------------------------

    def run(self, row: RunRow) -> str:
        """The span of a run, as a ``traceparent`` for what it calls; where there are none, that of its caller."""
        return str(self._run(row)) if self.on else row.traceparent

    def _run(self, row: RunRow) -> TraceContext:
        assert self._sampling is not None
        span_id = span_id_of("run", row.id, row.forgiven)
        return self._sampling.begin(TraceContext.parse(row.traceparent), span_id, trace_id_of(row.id))

    async def ended(self, row: RunRow) -> None:
        """A run has come to its end: tell its spans."""
        if self._exporter is not None and (run := self._run(row)).sampled:
            version = await self._store.version(row.deployment_id, row.version)
            self._exporter.tell(self._story(row, run, version))

    def _story(self, row: RunRow, run: TraceContext, version: VersionRow | None) -> Iterator[Span]:
        """Read when it is asked for, in the thread of the exporter."""
        nodes = Nodes(self._shape(version) if version is not None else None)
        yield from RunSpans(row, run, nodes)(_history(self._places.events(row.id)))

    def _shape(self, version: VersionRow) -> Shape | None:
        key = version.deployment_id, version.number
        if key not in self._graphs:
            if len(self._graphs) >= GRAPHS:
                self._graphs.clear()
            self._graphs[key] = shape_of(version.dag_json)
        return self._graphs[key]

    # --- servings ------------------------------------------------------------------------------------------------

    def follow(self, replica: Replica, name: str) -> None:
        """Take the spans of a replica's calls, until it has gone."""
        if self._exporter is not None:
            self._tasks.spawn(self._take(replica, name))

    async def _take(self, replica: Replica, name: str) -> None:
        metadata = (("authorization", f"Bearer {replica.token}"),)
        with contextlib.suppress(grpc.RpcError, asyncio.InvalidStateError):
            async for pack in replica.calls().Spans(pb.SpansRequest(), metadata=metadata):
                assert self._exporter is not None
                self._exporter.tell(self._of_calls(replica, name, pack.lines), pack.lines.count(b"\n"))

    def _of_calls(self, replica: Replica, name: str, lines: bytes) -> Iterator[Span]:
        about = {
            "operator_lib.serving": name,
            "operator_lib.version": replica.version.number,
            "operator_lib.replica": replica.id,
        }
        shape = self._shape(replica.version)
        nodes = Nodes(shape)
        for span in from_lines(lines):
            if span.place is None:
                nodes = Nodes(shape)
            else:
                nodes.name(span, span.place)
            span.attributes |= about
            yield span

    # --- HTTP ----------------------------------------------------------------------------------------------------

    def begin(self, head: Head) -> Span:
        """A request that does something has come in; from here on its header names the span of it."""
        assert self._sampling is not None
        caller = TraceContext.parse(head.traceparent)
        made = self._sampling.begin(caller)
        head.traceparent = str(made)
        parent = caller.span_id if caller is not None else ""
        name = f"{head.method} {head.path}" if head.path.startswith(NAMED) else head.method
        span = Span(made.trace_id, made.span_id, parent, name, time.time(), kind=SERVER)
        span.attributes = {"http.request.method": head.method, "url.path": head.path}
        return span

    def end(self, span: Span, head: Head, status: int) -> None:
        """It has been answered."""
        found = TraceContext.parse(head.traceparent)
        if self._exporter is not None and found is not None and found.sampled and status not in REFUSED:
            span.end = time.time()
            span.attributes |= {
                "http.response.status_code": status,
                "http.request.id": head.request_id.decode("latin-1"),
            }
            span.error = f"status {status}" if status >= 500 else ""
            self._exporter.tell([span])

    async def close(self) -> None:
        """Send what is left."""
        await self._tasks.settle(1.0)
        if self._exporter is not None:
            await asyncio.to_thread(self._exporter.close)


def _history(path: Path) -> Iterator[Mapping[str, object]]:
    rest = b""
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
        while data := file.read(CHUNK):
            whole, _, rest = (rest + data).rpartition(b"\n")
            yield from events_of(whole)
