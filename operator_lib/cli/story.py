"""A run as it unfolds: its events taken in one by one, its graph lit up by them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from operator_lib.trace.overlay import Overlay

if TYPE_CHECKING:
    from operator_lib import DAG
    from operator_lib.engine.events import Event

TERMINAL = frozenset({"COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"})


class Story:
    """What is known of a run so far. `dag` is its static graph, or None."""

    def __init__(self, run_id: str, name: str, dag: DAG | None) -> None:
        self.run_id = run_id
        self.name = name
        self.status = "PENDING"
        self.cause = ""
        self.began: float | None = None
        self.ended: float | None = None
        self.last_line: dict[str, str] = {}
        self._first: float | None = None
        self._lit = Overlay(dag) if dag is not None else None

    def add(self, event: Event) -> None:
        """Take in the next event."""
        kind = event.get("kind")
        if kind == "status":
            self._moved_on(event)
        elif kind == "log":
            if text := str(event.get("text", "")).strip():
                self.last_line[str(event.get("path", ""))] = text
            return
        if self._first is None:
            self._first = float(event["t"])
        if self._lit is not None:
            self._lit.update([event])

    def _moved_on(self, event: Event) -> None:
        self.status = str(event["status"])
        self.cause = str(event.get("cause", ""))
        if self.status == "RUNNING" and self.began is None:
            self.began = float(event["t"])
        if self.status in TERMINAL:
            self.ended = float(event["t"])

    @property
    def elapsed(self) -> float:
        """Seconds since it started to run."""
        return 0.0 if self.began is None else max(0.0, (self.ended or time.time()) - self.began)

    def dag(self) -> DAG | None:
        """The graph with the status of every node by now."""
        return self._lit.dag() if self._lit is not None else None

    def since(self, event: Event) -> float:
        """Seconds from the first event to this one."""
        now = float(event["t"])
        return max(0.0, now - (self._first if self._first is not None else now))
