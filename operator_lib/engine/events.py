"""The history of a run: one JSON object an event, numbered, append-only.

Every event has ``seq`` (1, 2, ... without a gap), ``t`` (seconds since the epoch) and ``kind``:

========  ============================================================================================================
kind      further fields
========  ============================================================================================================
status    ``status`` (as of `Run`), ``attempt``, ``cause`` (words)
node      ``phase`` (start, end, cached, error), ``call`` (id within the attempt), ``path`` (of the operator); on start
          ``parent`` (call id, 0 at the root), ``file``, ``line``, ``col`` of the call, ``via`` (places of the functions
          that it came through), ``lane`` (thread or task, where it is not the parent's); at the end ``dur`` (seconds),
          on error ``error`` (words) and ``at`` (line of the operator's code).
          ``phase: more``: what is called very often is counted, not told one by one: ``count`` more calls, ``failed``
          of them, in ``dur`` seconds, from where ``call`` was made
decision  ``call``, ``operator`` (path), ``file``, ``line``, ``col``, ``what`` (if, elif, while, ternary, assert, guard,
          comprehension, for, match, except), ``source``, ``values`` (number, source and value of each operand that was
          evaluated), ``outcome`` (truth, or words), ``missed`` (others before it were not told)
log       ``stream`` (stdout, stderr), ``text`` (a line), ``path``, ``call`` of the operator that printed it; ``more``:
          the line goes on in the next event
item      ``index``, ``size`` (bytes): a generator's item was stored
========  ============================================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

Event = dict[str, Any]

TERMINAL = frozenset({"COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"})

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


def to_line(event: Event) -> bytes:
    """One event as one line, newline included."""
    return _encode(event).encode() + b"\n"


def from_lines(data: bytes) -> Iterator[Event]:
    """The events of complete lines; a torn last line is left out."""
    for line in data.split(b"\n"):
        if line:
            try:
                yield json.loads(line)
            except ValueError:
                continue


def log_text(events: Iterable[Event]) -> Iterator[str]:
    """The log lines among `events`."""
    return (event["text"] for event in events if event.get("kind") == "log")
