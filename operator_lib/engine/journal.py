"""The events file of a run, as its shim writes it: numbered, whole lines only, bounded."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

from operator_lib.engine.events import from_lines, to_line
from operator_lib.engine.process import LINE_LIMIT

# Bytes of log kept per attempt; what comes after is counted, and said.
CAP = 256 * 1024 * 1024


class Journal:
    """Appends to the events file; takes up the numbering where an earlier attempt or the worker left it."""

    def __init__(self, path: str, cap: int = CAP) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self.seq = _mend(self._fd)
        self._buffer: list[bytes] = []
        self._partial = {"stdout": b"", "stderr": b"", "": b""}
        self._told = self.seq
        self._room = cap
        self._dropped = 0

    def append(self, event: dict[str, Any]) -> None:
        self.seq += 1
        event["seq"] = self.seq
        event.setdefault("t", time.time())
        line = to_line(event)
        self._room -= len(line)
        if self._room < 0 and event["kind"] == "log":
            self.seq -= 1
            self._dropped += 1
            return
        self._buffer.append(line)

    def raw(self, stream: str, data: bytes) -> None:
        """What was printed past Python: by C code, by subprocesses. Lines, without a node."""
        pending = self._partial[stream] + data
        *lines, rest = pending.split(b"\n")
        if not data and rest:
            lines.append(rest)
            rest = b""
        while len(rest) > LINE_LIMIT:
            lines.append(rest[:LINE_LIMIT])
            rest = rest[LINE_LIMIT:]
        self._partial[stream] = rest
        for line in lines:
            for start in range(0, max(1, len(line)), LINE_LIMIT):
                text = line[start : start + LINE_LIMIT].decode("utf-8", "backslashreplace")
                self.append({"kind": "log", "stream": stream, "text": text, "path": "", "call": 0})

    def story(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Events that the child wrote itself. Yields the messages among them that are for the worker."""
        *lines, rest = (self._partial[""] + data).split(b"\n")
        self._partial[""] = rest
        for line in lines:
            if not line:
                continue
            try:
                event = json.loads(line)
                kind = event["kind"]
            except (ValueError, KeyError, TypeError):
                continue
            if kind == "ready":
                yield {"ready": event}
            else:
                self.append(event)

    def flush(self) -> int:
        """Write what has come together; the last number, or 0 when nothing is new."""
        if self._buffer:
            data = memoryview(b"".join(self._buffer))
            self._buffer.clear()
            try:
                while data:
                    data = data[os.write(self._fd, data) :]
            except OSError:  # a full disk: the log suffers first, the run goes on
                self._dropped += 1
                _mend(self._fd)
        if self.seq == self._told:
            return 0
        self._told = self.seq
        return self.seq

    def end(self) -> None:
        """Everything is in."""
        for stream in ("stdout", "stderr"):
            if self._partial[stream]:
                self.raw(stream, b"")
        if self._dropped:
            text = f"[{self._dropped} lines of log were dropped: over {CAP // 2**20} MiB, or no room on the disk]"
            self._room = 1 << 20
            self.append({"kind": "log", "stream": "stderr", "text": text, "path": "", "call": 0})
        self.flush()

    def close(self) -> None:
        os.close(self._fd)


def _mend(fd: int) -> int:
    """Cut off a torn last line (a crash in mid-write); the number of the last whole event, 0 without one."""
    size = os.fstat(fd).st_size
    window = 1 << 16
    while True:
        start = max(0, size - window)
        tail = os.pread(fd, size - start, start)
        end = tail.rfind(b"\n")
        if end < 0 and start > 0:
            window *= 4
            continue
        if end + 1 < len(tail):
            os.ftruncate(fd, start + end + 1)
        begin = tail.rfind(b"\n", 0, max(end, 0))
        if begin < 0 and start > 0:
            window *= 4
            continue
        for event in from_lines(tail[begin + 1 : end + 1]):
            return int(event.get("seq", 0))
        return 0
