"""The request that is going on in this process: made, told about, limited in time."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

from operator_lib import context
from operator_lib.context import RequestContext
from operator_lib.engine import record, scope
from operator_lib.engine.clock import Clock, Timer
from operator_lib.engine.memory import InProcess

# The page that the shim of this process watches; None where nobody could kill a call that takes too long.
clock: Clock | None = None
# Paths of operators, by id, in a process without a recorder.
paths: dict[int, str] = {}
# Which call is going on, in a process that carries out calls of many: see `clock.Overdue.mark`.
asked: Callable[[], bytes] = lambda: b""  # noqa: E731

_local = itertools.count(1)


def here() -> RequestContext:
    """The request of the call that is going on, else a new one: of a local call."""
    return context.current.get() or context.process or local(f"local-{next(_local)}")


def local(id: str) -> RequestContext:
    """The request of a call or run in this process, whose state is gone with it."""
    return RequestContext(id, memory=InProcess(), emit=tell, time_left_until=deadline)


def tell(event: dict[str, Any]) -> None:
    """Add an event to the history of the run, as one of the operator at work; progress is a sign of life too."""
    inside = scope.here()
    if inside is not None and event["kind"] == "progress":
        inside.alive()
    frame = record.current.get() or record.process_frame
    if frame is not None:
        frame.recorder.emit({"t": time.time(), **event, "path": frame.path, "call": frame.call})


def timer(op: Any, limit: float | None, mark: bytes = b"") -> Timer | None:
    """A clock for a call of `op` that starts now, where there is a limit and somebody to see to it.

    Args:
        mark: see `clock.Overdue`.
    """
    if limit is None or clock is None:
        return None
    frame = record.current.get() or record.process_frame
    path = frame.path if frame is not None else paths.get(id(op), "")
    return clock.start(path, limit, mark or asked())


def deadline() -> float | None:
    """When the call that is going on will be killed, in seconds since the epoch."""
    inside = scope.here()
    running = inside.running() if inside is not None else None
    return running.end if running is not None else None
