"""Reading a run's events file while somebody else appends to it."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from operator_lib.engine.events import Event
from operator_lib.engine.journal import Journal

# Bytes in one message to a reader.
BATCH = 256 * 1024
_SEQ = re.compile(rb'"seq":(\d+)')
_LOG = re.compile(rb'"kind": ?"log"')


def append(path: Path, event: Event) -> int:
    """Add one event. Only while no shim writes to the file.

    Raises:
        OSError: there is no room for it.
    """
    journal = Journal(str(path))
    try:
        journal.append(event)
        return journal.flush()
    finally:
        journal.close()


def last_status(path: Path) -> str:
    """The status that the history ends with, or ""."""
    if not path.exists():
        return ""
    journal = Journal(str(path))
    try:
        return str(journal.last.get("status", ""))
    finally:
        journal.close()


def last_seq(path: Path) -> int:
    """The number of the last event, 0 without any. Only while nobody writes to the file."""
    if not path.exists():
        return 0
    journal = Journal(str(path))
    try:
        return journal.seq
    finally:
        journal.close()


async def read(
    path: Path,
    after: int,
    changed: Callable[[], asyncio.Event] | None,
    ended: Callable[[], bool],
    logs_only: bool = False,
) -> AsyncIterator[bytes]:
    """Whole lines after event number `after`, batch by batch; with `changed`, until `ended`.

    `changed` gives the event that is set when more may be there.
    """
    position, partial = await asyncio.to_thread(_position, path, after) if after else 0, b""
    while True:
        last = changed is None or ended()
        signal = None if last or changed is None else changed()
        data = await asyncio.to_thread(_chunk, path, position)
        position += len(data)
        if data:
            lines, _, partial = (partial + data).rpartition(b"\n")
            kept = [line for line in lines.split(b"\n") if line and _wanted(line, after, logs_only)]
            if kept:
                yield b"\n".join(kept) + b"\n"
            continue
        if signal is None:
            return
        await signal.wait()


def _wanted(line: bytes, after: int, logs_only: bool) -> bool:
    if logs_only and not _LOG.search(line):
        return False
    if not after:
        return True
    numbers = _SEQ.findall(line)
    return bool(numbers) and int(numbers[-1]) > after


def _position(path: Path, after: int) -> int:
    """Where to begin to read for what comes after event number `after`: at most some lines before it."""
    try:
        with open(path, "rb") as file:
            low, high = 0, os.fstat(file.fileno()).st_size
            while high - low > BATCH:
                middle = (low + high) // 2
                file.seek(middle)
                file.readline()
                start, line = file.tell(), file.readline()
                numbers = _SEQ.findall(line)
                if start >= high or not line.endswith(b"\n") or not numbers or int(numbers[-1]) > after:
                    high = middle
                else:
                    low = start
            return low
    except FileNotFoundError:
        return 0


def _chunk(path: Path, position: int) -> bytes:
    try:
        with open(path, "rb") as file:
            file.seek(position)
            return file.read(BATCH)
    except FileNotFoundError:
        return b""
