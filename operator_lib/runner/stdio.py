"""``sys.stdout`` and ``sys.stderr`` of a run: every line becomes an event that names the operator that printed it."""

from __future__ import annotations

import fcntl
import io
import os
import threading
import time
from typing import Any

from operator_lib.engine import record
from operator_lib.engine.events import to_line
from operator_lib.engine.masking import Mask
from operator_lib.engine.process import LINE_LIMIT
from operator_lib.engine.told import Told, to_bytes


class Story:
    """The pipe on which the child, and what it forks, tell the shim what happens."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._lock = threading.Lock()
        self._turn: int | None = None  # a file to lock once there are forks: their writes would mix with ours
        os.register_at_fork(before=self._before_fork, after_in_child=self._in_child)

    def _before_fork(self) -> None:
        if self._turn is None:
            self._turn = os.memfd_create("story") if hasattr(os, "memfd_create") else None

    def _in_child(self) -> None:
        self._lock = threading.Lock()

    def emit(self, told: Told) -> None:
        """Send one event."""
        self.write(to_bytes(told))

    def write(self, data: bytes) -> None:
        with self._lock:
            if self._turn is None:
                self._all(data)
                return
            fcntl.lockf(self._turn, fcntl.LOCK_EX)
            try:
                self._all(data)
            finally:
                fcntl.lockf(self._turn, fcntl.LOCK_UN)

    def _all(self, data: bytes) -> None:
        written = os.write(self.fd, data)
        while written < len(data):
            written += os.write(self.fd, memoryview(data)[written:])


class NodeStream(io.TextIOBase):
    """A text stream that sends lines to a `Story`; ``buffer`` and ``fileno`` are those of the real stream."""

    def __init__(self, name: str, story: Story, raw_fd: int, mask: Mask | None = None) -> None:
        self.name = name
        self._mask = mask
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
        unfinished = ""
        kept = 0 if self._mask is None else self._mask.longest
        if len(rest) > LINE_LIMIT + kept:  # no end in sight: what is there goes out
            masked = rest if self._mask is None else self._mask.text(rest)
            unfinished, rest = masked[: len(masked) - kept], masked[len(masked) - kept :]
        if rest:
            self._partial[thread] = rest
        if lines or unfinished:
            self._send(lines, unfinished)
        return len(text)

    def _send(self, lines: list[str], unfinished: str = "") -> None:
        frame = record.current.get() or record.process_frame
        event: dict[str, Any] = {"kind": "log", "t": time.time(), "stream": self.name}
        event["path"], event["call"] = (frame.path, frame.call) if frame else ("", 0)
        packed: list[bytes] = []
        if self._mask is not None:
            lines = [self._mask.text(line) for line in lines]
        for line in [*lines, unfinished] if unfinished else lines:
            going_on = bool(unfinished) and line is unfinished
            if not line.isascii():  # what has no place in UTF-8 is shown escaped
                line = line.encode("utf-8", "backslashreplace").decode()
            for start in range(0, max(1, len(line)), LINE_LIMIT):
                event["text"] = line[start : start + LINE_LIMIT]
                event.pop("more", None)
                if start + LINE_LIMIT < len(line) or going_on:
                    event["more"] = True
                packed.append(to_line(event))
        self._story.write(b"".join(packed))

    def finish(self) -> None:
        """Send what was printed without a newline at the end."""
        rests = list(self._partial.values())
        self._partial.clear()
        if rests:
            self._send(rests)
