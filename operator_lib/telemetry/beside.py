"""The user's own spans: ours are above them, and below them, where the program uses OpenTelemetry."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

from operator_lib.telemetry.trace_context import TraceContext


def theirs() -> TraceContext | None:
    """The span that the program has open here, if it has made one."""
    api = sys.modules.get("opentelemetry.trace")
    if api is None:
        return None
    span: Any = api.get_current_span()
    if not span.is_recording():
        return None
    found = span.get_span_context()
    if not found.is_valid:
        return None
    return TraceContext(f"{found.trace_id:032x}", f"{found.span_id:016x}", bool(found.trace_flags.sampled))


def enter(ours: TraceContext, *, load: bool = False) -> Any:
    """From here on spans that the program makes are below `ours`; for `leave`. None where it uses none.

    Args:
        load: also where OpenTelemetry is installed and not loaded yet.
    """
    if "opentelemetry.trace" not in sys.modules and not (load and importlib.util.find_spec("opentelemetry.trace")):
        return None
    from opentelemetry import context, trace

    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if ours.sampled else trace.TraceFlags.DEFAULT)
    seen = trace.SpanContext(int(ours.trace_id, 16), int(ours.span_id, 16), is_remote=True, trace_flags=flags)
    return context.attach(trace.set_span_in_context(trace.NonRecordingSpan(seen)))


def leave(entered: Any) -> None:
    """What `enter` began is over."""
    if entered is not None:
        from opentelemetry import context

        context.detach(entered)
