"""``sys.stdout`` and ``sys.stderr`` of a run: every line becomes an event that names the operator that printed it."""

from __future__ import annotations

import io
import os
import threading
import time
from typing import Any

from operator_lib.engine import record
from operator_lib.engine.events import Event, to_line
from operator_lib.engine.process import LINE_LIMIT


class Story:
    """The pipe on which the child tells its shim what happens."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._lock = threading.Lock()

    def emit(self, event: Event) -> None:
        """Send one event."""
        self.write(to_line(event))

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        with self._lock:
            while view:
                view = view[os.write(self.fd, view) :]


class NodeStream(io.TextIOBase):
    """A text stream that sends lines to a `Story`; ``buffer`` and ``fileno`` are those of the real stream."""

    def __init__(self, name: str, story: Story, raw_fd: int) -> None:
        self.name = name
        self._story = story
        self._raw_fd = raw_fd
        self._partial: dict[int, str] = {}  # by thread: lines of two threads do not mix
        self.buffer = io.FileIO(raw_fd, "w", closefd=False)

    encoding = "utf-8"  # type: ignore[assignment]
    errors = "backslashreplace"  # type: ignore[assignment]

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._raw_fd

    def write(self, text: str) -> int:
        if self.closed:
            raise ValueError("I/O operation on closed file.")
        thread = threading.get_ident()
        *lines, rest = (self._partial.pop(thread, "") + text).split("\n")
        if len(rest) > LINE_LIMIT:
            lines.append(rest)
            rest = ""
        if rest:
            self._partial[thread] = rest
        if lines:
            self._send(lines)
        return len(text)

    def _send(self, lines: list[str]) -> None:
        frame = record.current.get() or record.process_frame
        event: dict[str, Any] = {"kind": "log", "t": time.time(), "stream": self.name}
        event["path"], event["call"] = (frame.path, frame.call) if frame else ("", 0)
        packed: list[bytes] = []
        for line in lines:
            for start in range(0, max(1, len(line)), LINE_LIMIT):
                event["text"] = line[start : start + LINE_LIMIT]
                packed.append(to_line(event))
        self._story.write(b"".join(packed))

    def finish(self) -> None:
        """Send what was printed without a newline at the end."""
        rests = list(self._partial.values())
        self._partial.clear()
        if rests:
            self._send(rests)
