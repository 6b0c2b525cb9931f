"""The events file of a run, as its shim writes it: numbered, whole lines only, bounded."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

from operator_lib.engine.events import Event, from_lines, to_line
from operator_lib.engine.masking import Mask
from operator_lib.engine.process import LINE_LIMIT

# Bytes of log kept per attempt; what comes after is counted, and said.
CAP = 256 * 1024 * 1024
# After the disk was full, lines of log are dropped until it has this many bytes: what else there is comes first.
ROOM = 32 * 1024 * 1024

# What the child says to its shim (`timed`: calls have limits now) and to the worker, not for the history.
FOR_WORKER = frozenset({"ready", "going", "unstored", "timed", "overdue", "part"})


class Journal:
    """Appends to the events file; takes up the numbering where an earlier attempt or the worker left it."""

    def __init__(self, path: str, cap: int = CAP, mask: Mask | None = None) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self.last = _mend(self._fd)
        """The event that the file ended with when it was opened, or an empty one."""
        self.seq = int(self.last.get("seq", 0))
        self._buffer: list[bytes] = []
        self._partial = {"stdout": b"", "stderr": b"", "": b""}
        self._told = self.seq
        self._room = cap
        self._mask = mask
        self._dropped = 0
        self._full = False

    def append(self, event: Event) -> None:
        self.seq += 1
        event["seq"] = self.seq
        event.setdefault("t", time.time())
        line = to_line(event)
        self._room -= len(line)
        if (self._room < 0 or self._full) and event["kind"] == "log":
            self.seq -= 1
            self._dropped += 1
            return
        self._buffer.append(line)

    def _take(self, event: Event, line: bytes) -> None:
        """An event that the child has encoded: only its number is missing."""
        if event["kind"] == "node" and "t" in event and "seq" not in event:
            self.seq += 1
            line = b'%b,"seq":%d}\n' % (line[:-1], self.seq)
            self._room -= len(line)
            self._buffer.append(line)
        else:
            self.append(event)

    def raw(self, stream: str, data: bytes) -> None:
        """What was printed past Python: by C code, by subprocesses. Lines, without a node."""
        pending = self._partial[stream] + data
        *lines, rest = pending.split(b"\n")
        if not data and rest:
            lines.append(rest)
            rest = b""
        for line in lines:
            self._line(stream, line if self._mask is None else self._mask.data(line))
        kept = 0 if self._mask is None else self._mask.longest
        if len(rest) > LINE_LIMIT + kept:  # no end in sight: what is there goes out
            *pieces, rest = _pieces(rest) if self._mask is None else _pieces(self._mask.data(rest), kept)
            for piece in pieces:
                self._log(stream, piece, more=True)
        self._partial[stream] = rest

    def _line(self, stream: str, line: bytes) -> None:
        *pieces, last = _pieces(line)
        for piece in pieces:
            self._log(stream, piece, more=True)
        self._log(stream, last)

    def _log(self, stream: str, text: bytes, more: bool = False) -> None:
        event: Event = {"kind": "log", "stream": stream, "text": text.decode("utf-8", "backslashreplace")}
        event["path"], event["call"] = "", 0
        if more:
            event["more"] = True
        self.append(event)

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
            if self._mask is not None:
                event = self._mask.value(event)
                line = to_line(event)[:-1]
            if kind in FOR_WORKER:
                yield {kind: event}
            else:
                self._take(event, line)

    def flush(self) -> int:
        """Write what has come together; the last number, or 0 when nothing is new."""
        if self._full:
            disk = os.fstatvfs(self._fd)
            self._full = disk.f_bavail * disk.f_frsize < ROOM
        if self._buffer:
            data = memoryview(b"".join(self._buffer))
            self._buffer.clear()
            try:
                while data:
                    data = data[os.write(self._fd, data) :]
            except OSError:  # a full disk: the log suffers first, the run goes on
                self._dropped += self.seq
                self.seq = int(_mend(self._fd).get("seq", 0))
                self._dropped -= self.seq
                self._full = True
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
            text = f"[{self._dropped} events were dropped: over {CAP // 2**20} MiB, or no room on the disk]"
            self._dropped, self._full = 0, False
            self._room = 1 << 20
            self.append({"kind": "log", "stream": "stderr", "text": text, "path": "", "call": 0})
        self.flush()

    def close(self) -> None:
        os.close(self._fd)


def _pieces(line: bytes, kept: int = 0) -> list[bytes]:
    """A long line in parts, none of which ends inside of a character; the last one has at least `kept` bytes."""
    parts: list[bytes] = []
    while len(line) > LINE_LIMIT + kept:
        end = LINE_LIMIT
        while end > LINE_LIMIT - 4 and line[end] & 0xC0 == 0x80:
            end -= 1
        parts.append(line[:end])
        line = line[end:]
    return [*parts, line]


def _mend(fd: int) -> Event:
    """Cut off a torn last line (a crash in mid-write); the last whole event, an empty one without any."""
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
        return next(from_lines(tail[begin + 1 : end + 1]), {})
