"""A run as it unfolds: its events taken in one by one, its graph lit up by them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

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
        self._static = dag
        self._events: list[Event] = []
        self._lit: tuple[int, DAG | None] = (0, dag)

    def add(self, event: Event) -> None:
        """Take in the next event."""
        kind = event.get("kind")
        if kind == "status":
            self._moved_on(event)
        elif kind == "log":
            if text := str(event.get("text", "")).strip():
                self.last_line[str(event.get("path", ""))] = text
            return
        self._events.append(event)

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
        seen = len(self._events)
        if self._static is not None and self._lit[0] != seen:
            from operator_lib.client.inventory import overlaid

            self._lit = seen, overlaid(self._static, self._events[:seen])
        return self._lit[1]

    def since(self, event: Event) -> float:
        """Seconds from the first event to this one."""
        first: Any = self._events[0]["t"] if self._events else event["t"]
        return max(0.0, float(event["t"]) - float(first))
