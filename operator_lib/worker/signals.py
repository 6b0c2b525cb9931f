"""Who waits for news of what."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from operator_lib.worker.store.base import RunRow

# Runs that are kept as they were accepted.
MOST = 1000


class Signals:
    """An event per name, there for as long as somebody waits."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = {}

    def next(self, name: str) -> asyncio.Event:
        """Set with the next news of `name`. Take it before looking at the state it is about."""
        return self._events.setdefault(name, asyncio.Event())

    def announce(self, name: str) -> None:
        """There is news of `name`."""
        event = self._events.pop(name, None)
        if event is not None:
            event.set()

    def announce_all(self) -> None:
        """Wake everybody."""
        for name in list(self._events):
            self.announce(name)


class States(Signals):
    """Of runs. Whoever submits one follows it from then on, and need not read what was written a moment ago."""

    def __init__(self) -> None:
        super().__init__()
        self.unchanged: dict[str, RunRow] = {}
        """Runs that were accepted lately, without their input; nothing has become of them since."""

    def accepted(self, row: RunRow) -> None:
        """It is new."""
        if len(self.unchanged) == MOST:
            del self.unchanged[next(iter(self.unchanged))]
        self.unchanged[row.id] = replace(row, input_inline=None)

    def announce(self, name: str) -> None:
        self.unchanged.pop(name, None)
        super().announce(name)

    def announce_all(self) -> None:
        self.unchanged.clear()
        super().announce_all()
