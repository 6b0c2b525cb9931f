"""A run as a card: how far it has come, its graph, its last lines, how it ended. Kept up to date while it goes on."""

from __future__ import annotations

import concurrent.futures
import contextlib
import threading
import time
from collections import deque
from typing import Any

from operator_lib.engine.events import TERMINAL
from operator_lib.notebook import html

_REFRESH = 0.5  # seconds between two looks at a run that goes on
_LINES = 8


class View:
    """One run, seen again and again: only what is new is read."""

    def __init__(self, run: Any) -> None:
        self.run = run
        self._forget()

    def _forget(self) -> None:
        self._seq = 0
        self._started: float | None = None
        self._ended: float | None = None
        self._cause = ""
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._printed = 0

    def bundle(self) -> dict[str, str]:
        """MIME type to text. A worker may be out of reach: then it is the name and the status."""
        run = self.run
        try:
            self._read()
            dag = run.dag()
        except Exception:
            return {"text/plain": repr(run)}
        from operator_lib.trace.draw.terminal import render

        svg = dag.to_svg()
        return {
            "text/plain": f"{run!r}\n{render(dag, status=True)}",
            "text/html": self._html(svg),
            "image/svg+xml": svg,
        }

    def _read(self) -> None:
        for event in self.run.events(follow=False, after=self._seq):
            if event["seq"] <= self._seq:  # of a run in several parts, which are numbered each
                self._forget()
            self._seq = event["seq"]
            if event["kind"] == "log":
                self._lines.append(event["text"])
                self._printed += 1
            elif event["kind"] == "status":
                self._status(event)

    def _status(self, event: dict[str, Any]) -> None:
        self._cause = event.get("cause") or ""
        if event["status"] == "RUNNING":
            self._started, self._ended = event["t"], None
        elif event["status"] in TERMINAL:
            self._ended = event["t"]

    def _html(self, svg: str) -> str:
        run = self.run
        attempts = f"attempt {run.attempts}" if run.attempts > 1 else ""
        head = html.headline(
            "run", run.job, html.mono(run.id), html.badge(run.status), self._time(), html.quiet(attempts)
        )
        more = f"… {self._printed - len(self._lines)} lines before\n" if self._printed > len(self._lines) else ""
        lines = [more.rstrip("\n"), *self._lines] if more else list(self._lines)
        return html.card(head, self._end(), html.scrolled(svg), html.block(lines))

    def _time(self) -> str:
        if self._started is None:
            return html.quiet(self._cause)
        return html.quiet(html.lasted((self._ended or time.time()) - self._started))

    def _end(self) -> str:
        if self.run.status not in ("FAILED", "TIMEOUT") or not self.run.done():
            return ""
        error = self.run.exception(0)
        path = getattr(error, "operator_path", "")
        words = f"{path}: {error!r}" if path else repr(error) if error else self._cause
        return f'<div style="margin:4px 0">{html.bad(html.clipped(words, 600))}</div>'


def run_bundle(run: Any) -> dict[str, str]:
    """MIME type to text for a run: how far it has come."""
    return View(run).bundle()


def show_run(run: Any) -> None:
    """Display a run; while it goes on, a thread keeps what is shown up to date."""
    from IPython.display import display

    view = View(run)
    handle = display(view.bundle(), raw=True, display_id=True)
    if handle is not None and not run.done():
        threading.Thread(target=_keep, args=(view, handle), name=f"show {run.id}", daemon=True).start()


def _keep(view: View, handle: Any) -> None:
    shown: object = None
    while True:
        last = view.run.done()
        bundle = view.bundle()
        if bundle != shown:
            with contextlib.suppress(Exception):  # the notebook may have gone away
                handle.update(bundle, raw=True)
            shown = bundle
        if last:
            return
        concurrent.futures.wait([view.run], timeout=_REFRESH)
