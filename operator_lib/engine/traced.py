"""Which span a call that is made now belongs to: what is handed on to whoever carries it out elsewhere."""

from __future__ import annotations

import os

from operator_lib.engine import record
from operator_lib.telemetry import beside
from operator_lib.telemetry.trace_context import TraceContext, span_id_of

# In a process whose calls have no spans of their own: the span that all of it belongs to.
process = ""


def outgoing() -> str:
    """A ``traceparent``, or "" where nobody traces."""
    own = beside.theirs()
    if own is not None:
        return str(own)
    frame = record.here()
    if frame is not None and frame.recorder.span_of is not None:
        found = frame.recorder.span_of(frame.call)
        return str(found) if found is not None else process
    return process


def in_run(run: TraceContext, run_id: str, attempt: int, call: int) -> TraceContext:
    """The span of a call of an operator in a run: the process of the run and the worker say the same."""
    return run.below(call_span_id(run_id, attempt, call)) if call else run


def call_span_id(run_id: str, attempt: int, call: int) -> str:
    """Its id."""
    return span_id_of(run_id, attempt, call)


def begin(traceparent: str, recorder: record.Recorder, run_id: str, attempt: int, told: bool) -> None:
    """This is the process of a run with that span; `told`: those of its calls are told, too."""
    global process
    found = TraceContext.parse(traceparent)
    if found is None:
        return
    process = traceparent
    os.environ["TRACEPARENT"] = traceparent  # for programs that it starts
    beside.enter(found, load=True)
    if told:
        recorder.span_of = lambda call: in_run(found, run_id, attempt, call)
