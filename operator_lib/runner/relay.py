"""What a part tells becomes part of the history of the process around it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from operator_lib.engine import record
from operator_lib.engine.events import from_lines
from operator_lib.engine.scope import Scope
from operator_lib.runner.stdio import Story

# At the end of each call, in what a part tells: everything about the call has been told.
ANSWERED = "answered"
# Seconds between two looks at it while a call goes on.
LOOK = 0.05
# Seconds that the story may be behind the answer, and between two looks meanwhile.
BEHIND, GLANCE = 2.0, 0.0005


class Relay:
    """Tells what a part tells as events of this process."""

    def __init__(self, path: Path, place: str, story: Story, number: Callable[[], int]) -> None:
        self._frame: record.Frame | None = None
        self._scope: Scope | None = None
        self._asked = self._answered = 0
        self._turn = threading.Lock()
        self._path = path
        self._place = place
        self._story = story
        self._number = number
        self._calls: dict[int, int] = {}
        self._position = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"part-{place}", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while not self._over.wait(LOOK):
            self._pass_on()
        self._pass_on()

    def begin(self, frame: record.Frame | None, around: Scope | None) -> None:
        """What is told from here on belongs to this call."""
        self._frame, self._scope = frame, around
        self._asked += 1

    def finish(self) -> None:
        """The call is answered: wait until all that it has told is passed on."""
        end = time.monotonic() + BEHIND
        while self._answered < self._asked and time.monotonic() < end:
            self._pass_on()
            time.sleep(GLANCE)

    def end(self) -> None:
        """Everything is there: pass on the rest."""
        self._over.set()
        self._thread.join()

    def _pass_on(self) -> None:
        with self._turn, contextlib.suppress(FileNotFoundError), open(self._path, "rb") as file:
            file.seek(self._position)
            data = file.read()
            whole = data[: data.rfind(b"\n") + 1]
            self._position += len(whole)
            for event in from_lines(whole):
                if event["kind"] == ANSWERED:
                    self._answered = event["number"]
                    continue
                if event["kind"] == "progress" and self._scope is not None:
                    self._scope.alive()
                self._story.emit(self._ours(event))

    def _ours(self, event: dict[str, Any]) -> dict[str, Any]:
        """Paths and calls over there begin at the operator; here they begin at the root."""
        event.pop("seq", None)
        if "path" in event:
            event["path"] = f"{self._place}.{event['path']}" if event["path"] else self._place
        for name in ("call", "parent"):
            if name in event:
                event[name] = self._number_of(event[name])
        return event

    def _number_of(self, call: int) -> int:
        if call == 0:
            return self._frame.call if self._frame is not None else 0
        if call not in self._calls:
            self._calls[call] = self._number()
        return self._calls[call]
