"""A progress bar in a notebook: one output that is written over, and stays as the figure of what was done."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from operator_lib.notebook import html

_EVERY = 0.1  # seconds between two pictures


class Bar:
    """Begun when it is made."""

    def __init__(self, label: str, total: int | None, started: float) -> None:
        from IPython.display import display

        self._label, self._total, self._started = label, total, started
        self._shown = 0.0
        self._done = 0
        self._handle: Any = display(self._bundle("running"), raw=True, display_id=True)

    def update(self, done: int) -> None:
        """So many are done."""
        self._done = done
        if time.monotonic() - self._shown > _EVERY:
            self._show("running")

    def stop(self, *, completed: bool) -> None:
        """No more will come."""
        self._show("done" if completed else "stopped")

    def _show(self, state: str) -> None:
        self._shown = time.monotonic()
        if self._handle is not None:
            with contextlib.suppress(Exception):
                self._handle.update(self._bundle(state), raw=True)

    def _bundle(self, state: str) -> dict[str, str]:
        spent = time.monotonic() - self._started
        count = f"{self._done:,}" if self._total is None else f"{self._done:,} of {self._total:,}"
        said = f"{count}   {html.lasted(spent)}"
        if state == "running" and self._total and self._done:
            said += f", {html.lasted(spent / self._done * (self._total - self._done))} left"
        elif state == "stopped":
            said += ", stopped"
        # Without a total it moves to and fro until all is done.
        known = self._total is not None or state != "running"
        value = f' value="{self._done}" max="{self._total or 1}"' if known else ""
        line = (
            '<div style="display:flex;gap:10px;align-items:center">'
            f'<span>{self._label}</span><progress{value} style="width:16em;accent-color:#00795a"></progress>'
            f'<span style="opacity:.7;white-space:pre">{said}</span></div>'
        )
        return {"text/plain": f"{self._label} {said}", "text/html": line}
