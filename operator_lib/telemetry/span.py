"""A span that has ended, on its way to the worker, which is the one that tells collectors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

# What it may be: https://opentelemetry.io/docs/specs/otel/trace/api/#spankind
INTERNAL, SERVER, CONSUMER = "INTERNAL", "SERVER", "CONSUMER"


@dataclass(slots=True)
class Span:
    """Times are seconds since the epoch."""

    trace_id: str
    span_id: str
    parent_id: str
    """Empty for the first one of a trace."""
    name: str
    start: float
    end: float = 0.0
    kind: str = INTERNAL
    error: str = ""
    """In words; empty when it has ended well."""
    attributes: dict[str, Any] = field(default_factory=dict[str, Any])
    moments: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    """What happened meanwhile, and when."""
    links: list[str] = field(default_factory=list[str])
    """Spans that it belongs to besides its parent, as ``traceparent``."""
    place: dict[str, Any] | None = None
    """Of a call of an operator: which, and from where, as node events say it. Whoever has the graph finds the node."""
    scope: int = 0
    """Of such a call: the number of the one that it was made in; 0: of none."""
    call: int = 0
    """Of such a call: its own number."""


def to_lines(spans: Iterable[Span]) -> bytes:
    """As JSON, one a line."""
    return b"".join(json.dumps(asdict(span), separators=(",", ":")).encode() + b"\n" for span in spans)


def from_lines(lines: bytes) -> Iterator[Span]:
    """What `to_lines` gave."""
    for line in lines.splitlines():
        found = json.loads(line)
        found["moments"] = [(name, moment) for name, moment in found["moments"]]
        yield Span(**found)
