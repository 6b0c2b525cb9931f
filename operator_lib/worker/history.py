"""Reading a run's events file while somebody else appends to it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from pathlib import Path
from secrets import token_hex

from operator_lib.engine.events import Event, to_line
from operator_lib.engine.journal import Journal

# Bytes in one message to a reader.
BATCH = 256 * 1024
_SEQ = re.compile(rb'"seq":(\d+)')


def begin(path: Path, event: Event) -> None:
    """Make the file with its first event, unless it is there. Others may try to at the same time.

    Raises:
        OSError: there is no room for it.
    """
    partial = path.with_name(f"{path.name}.{token_hex(4)}.partial")
    try:
        partial.write_bytes(to_line({**event, "seq": 1}))
        partial.chmod(0o600)
        with contextlib.suppress(FileExistsError):
            os.link(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def append(path: Path, event: Event, first: Event | None = None) -> int:
    """Add one event, to an empty history after `first`. Only while no shim writes to the file.

    Raises:
        OSError: there is no room for it.
    """
    journal = Journal(str(path))
    try:
        if first is not None and not journal.seq:
            journal.append(first)
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
    ended: Callable[[], Awaitable[bool]] | None,
    kinds: Collection[str] = (),
) -> AsyncIterator[bytes]:
    """Whole lines after event number `after` (of some `kinds`, or all), batch by batch; with `changed`, until `ended`.

    `changed` gives the event that is set when more may be there.
    """
    wanted = re.compile(rb'"kind": ?"(?:%s)"' % "|".join(map(re.escape, kinds)).encode()) if kinds else None
    position, partial = await asyncio.to_thread(_position, path, after) if after else 0, b""
    while True:
        # The signal is taken first: what changes after it wakes us.
        signal = changed() if changed is not None else None
        if signal is not None and ended is not None and await ended():
            signal = None
        data = await asyncio.to_thread(_chunk, path, position)
        position += len(data)
        if data:
            lines, _, partial = (partial + data).rpartition(b"\n")
            kept = [line for line in lines.split(b"\n") if line and _wanted(line, after, wanted)]
            if kept:
                yield b"\n".join(kept) + b"\n"
            continue
        if signal is None:
            return
        await signal.wait()


def _wanted(line: bytes, after: int, kinds: re.Pattern[bytes] | None) -> bool:
    if kinds is not None and not kinds.search(line):
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
