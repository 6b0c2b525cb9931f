"""The history of a run as spans: one of the run, from its acceptance to its end, and one of each call in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from operator_lib.engine import traced
from operator_lib.engine.events import TERMINAL
from operator_lib.telemetry.span import CONSUMER, Span
from operator_lib.telemetry.trace_context import TraceContext
from operator_lib.worker.store.base import RunRow
from operator_lib.worker.tracing.nodes import Nodes

_PLACE = ("path", "file", "line", "col", "via")


class RunSpans:
    """Of one run that has ended."""

    def __init__(self, row: RunRow, run: TraceContext, nodes: Nodes) -> None:
        self._row = row
        self._run = run
        self._nodes = nodes
        self._attempt = 0
        self._open: dict[int, Span] = {}
        self._moments: list[tuple[str, float]] = []
        self._why = ""  # words of the exception that came out of it

    def __call__(self, events: Iterable[Mapping[str, Any]]) -> Iterator[Span]:
        """Each as soon as the events say that it is over, that of the run last."""
        for event in events:
            if event["kind"] == "status":
                yield from self._status(event)
            elif event["kind"] == "node" and self._attempt > self._row.forgiven:
                ended = self._node(event)
                if ended is not None:
                    yield ended
        yield from self._cut(self._row.ended or self._row.created)
        yield self._whole()

    def _status(self, event: Mapping[str, Any]) -> Iterator[Span]:
        status, moment = str(event["status"]), float(event["t"])
        if status not in TERMINAL and int(event.get("attempt", 0)) >= self._row.forgiven:
            self._moments.append((status.lower(), moment))
        if status == "RUNNING":
            self._attempt = int(event["attempt"])
        yield from self._cut(moment)

    def _cut(self, moment: float) -> Iterator[Span]:
        """Calls that have no end: their process is gone."""
        for span in self._open.values():
            span.end, span.error = moment, "its process ended"
            yield span
        self._open.clear()

    def _node(self, event: Mapping[str, Any]) -> Span | None:
        phase, call = event["phase"], int(event["call"])
        if phase == "start":
            self._open[call] = self._begun(event, call)
            return None
        if phase == "more":  # calls that are counted have no spans; the graph has them all
            return None
        span = self._open.pop(call, None)
        if span is None:
            return None
        span.end = float(event["t"])
        if phase == "error":
            span.error = str(event.get("error", "failed"))
            self._why = self._why if span.scope else span.error
        elif phase == "cached":
            span.attributes["operator_lib.cached"] = True
        return span

    def _begun(self, event: Mapping[str, Any], call: int) -> Span:
        parent = int(event.get("parent", 0))
        made = traced.in_run(self._run, self._row.id, self._attempt, call)
        above = traced.in_run(self._run, self._row.id, self._attempt, parent)
        span = Span(made.trace_id, made.span_id, above.span_id, event["path"] or self._row.job, float(event["t"]))
        span.scope, span.call = parent, call
        span.attributes = {"operator_lib.run.id": self._row.id, "operator_lib.attempt": self._attempt}
        self._nodes.name(span, {name: event[name] for name in _PLACE if name in event})
        return span

    def _whole(self) -> Span:
        row = self._row
        caller = TraceContext.parse(row.traceparent)
        span = Span(self._run.trace_id, self._run.span_id, caller.span_id if caller else "", f"run {row.job}", 0.0)
        span.kind, span.moments = CONSUMER, self._moments
        span.start, span.end = row.created, row.ended or row.created
        span.error = "" if row.status == "COMPLETED" else row.cause or self._why or row.status
        span.attributes = {
            "operator_lib.run.id": row.id,
            "operator_lib.job": row.job,
            "operator_lib.version": row.version,
            "operator_lib.status": row.status,
            "operator_lib.attempts": row.attempts,
        }
        return span
