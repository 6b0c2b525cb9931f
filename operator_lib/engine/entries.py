"""Stored outputs as files: whole or not at all, checked when read, the least recently used removed where they are many.

An entry is ``OPC1``, the SHA-256 of all that follows, its length, the time when it was made, its key, the fingerprint
of the value, the length of the operator's name, that, and the value as a frame of `wire`.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import struct
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom

from operator_lib import endpoint
from operator_lib.engine import marks
from operator_lib.package.hashes import cache_folder

# Bytes that all entries together may have, unless OPERATOR_LIB_CACHE_SIZE says otherwise; how many there may be.
LIMIT = 5_000_000_000
MOST = 100_000
# An entry that was used is marked as used again when that was so many seconds ago.
_MARKED = 60.0
# Its own: the numbers that a program has seeded are for that program.
_CHANCE = SystemRandom()
_MAGIC = b"OPC1"
_HEAD = struct.Struct("<Qd32s32sI")
_DIGEST = 32
_FIRST = len(_MAGIC) + _DIGEST


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored output, its bytes not read yet."""

    key: str
    name: str
    made: float
    """Seconds since the epoch."""
    fingerprint: bytes
    body: bytes | memoryview
    size: int


def folder() -> Path:
    """Where entries lie: in the cache of the home; in what a worker runs, of the worker's home."""
    home = os.environ.get(marks.HOME)
    return _below(home, os.environ.get("OPERATOR_LIB_HOME"))


@functools.lru_cache(16)
def _below(worker: str | None, home: str | None) -> Path:
    return (Path(worker) / "cache" if worker else cache_folder()) / "calls"


def folders(home: str | os.PathLike[str] | None = None) -> list[Path]:
    """All folders in which a person may have entries: their own, and that of the local worker."""
    own = Path(home) / "cache" / "calls" if home else folder()
    return list(dict.fromkeys((own, endpoint.home_folder(home) / "cache" / "calls")))


def limit() -> int:
    """Bytes that all entries together may have."""
    try:
        return int(os.environ["OPERATOR_LIB_CACHE_SIZE"])
    except (KeyError, ValueError):
        return LIMIT


def path_of(key: str) -> str:
    """The file of an entry."""
    return f"{folder()}/{key[:2]}/{key[2:]}"


def read(key: str, ttl: float | None = None) -> Entry | None:
    """The entry, when there is one that is whole, ours, and not older than `ttl` seconds."""
    path = path_of(key)
    try:
        with open(path, "rb", buffering=0) as file:
            state = os.fstat(file.fileno())
            if state.st_uid != os.geteuid() or state.st_mode & 0o022:
                return None  # somebody else may have written it
            data = file.read(state.st_size)
    except OSError:
        return None
    found = parse(data)
    now = time.time()
    if found is None or found.key != key:
        return None
    if ttl is not None and not 0 <= now - found.made <= ttl:  # a clock that was set back makes it older, too
        return None
    if now - state.st_mtime > _MARKED:
        with contextlib.suppress(OSError):
            os.utime(path)
    return found


def parse(data: bytes) -> Entry | None:
    """The entry that these bytes are; None when they are damaged in any way."""
    if len(data) < _FIRST + _HEAD.size or data[: len(_MAGIC)] != _MAGIC:
        return None
    length, made, key, told, named = _HEAD.unpack_from(data, _FIRST)
    start = _FIRST + _HEAD.size + named
    if length != len(data) or start > length:
        return None
    view = memoryview(data)
    if hashlib.sha256(view[_FIRST:]).digest() != data[len(_MAGIC) : _FIRST]:
        return None
    return Entry(key.hex(), data[_FIRST + _HEAD.size : start].decode(), made, told, data[start:], length)


def write(key: str, name: str, fingerprint: bytes, body: bytes) -> None:
    """Store an entry, whole or not at all. Raises OSError."""
    named = name.encode()
    length = _FIRST + _HEAD.size + len(named) + len(body)
    if length > limit() // 4:
        raise OSError(0, f"its {length:,} bytes are more than a quarter of what all outputs may have")
    rest = _HEAD.pack(length, time.time(), bytes.fromhex(key), fingerprint, len(named)) + named
    checked = hashlib.sha256(rest)
    checked.update(body)
    path = path_of(key)
    inside = os.path.dirname(path)
    endpoint.make_private(Path(inside))
    handle, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=inside)
    try:
        with open(handle, "wb") as file:
            file.write(_MAGIC + checked.digest() + rest)
            file.write(body)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    # Looking at all of them now and then is enough: the more bytes are written, the more often.
    if _CHANCE.random() < max(length * 32 / limit(), 1 / 500):
        evict(limit(), MOST)


def listed(inside: Path | None = None) -> Iterator[Entry]:
    """All entries that are whole."""
    for state in _files(inside):
        try:
            found = parse(Path(state[2]).read_bytes())
        except OSError:
            continue
        if found is not None:
            yield found


def clear(inside: Path | None = None, name: str | None = None) -> int:
    """Remove all entries, or those of an operator and what is damaged; how many there were."""
    removed = 0
    for _, _, path in _files(inside):
        with contextlib.suppress(OSError):
            found = parse(Path(path).read_bytes()) if name is not None else None
            if found is None or found.name == name:
                os.unlink(path)
                removed += 1
    return removed


def evict(most_bytes: int, most: int) -> int:
    """Remove those that were not used for longest, until no more than so many are left; how many were removed."""
    found = sorted(_files())
    total, count, removed = sum(size for _, size, _ in found), len(found), 0
    for _, size, path in found:
        if total <= most_bytes and count <= most:
            break
        with contextlib.suppress(OSError):
            os.unlink(path)
            removed += 1
        total, count = total - size, count - 1
    return removed


def _files(inside: Path | None = None) -> Iterator[tuple[float, int, str]]:
    """When it was used, how large it is, where: every entry, and what a process that was killed left of one."""
    now = time.time()
    for part in _scan(str(inside or folder())):
        if len(part.name) != 2:
            continue
        for file in _scan(part.path):
            with contextlib.suppress(OSError):
                state = file.stat()
                if not file.name.startswith("."):
                    yield state.st_mtime, state.st_size, file.path
                elif now - state.st_mtime > 3600:
                    os.unlink(file.path)


def _scan(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as found:
            return list(found)
    except OSError:
        return []
