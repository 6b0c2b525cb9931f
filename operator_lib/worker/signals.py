"""Who waits for news of what."""

from __future__ import annotations

import asyncio


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
