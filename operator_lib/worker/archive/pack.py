"""The files of a run as few objects: one with what is small and a table of all, and one for each that is large.

The table is the first line, as JSON; the small files follow it, one after the other. Every file has its hash there.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from operator_lib.worker.places import PRIVATE

# Files of more bytes are objects of their own.
APART = 1 << 20
# The same once so many bytes are together.
TOGETHER = 8 << 20
# What a worker notes beside a run's files begins like this, and stays with it.
NOTE = "archived-"
_PATH = re.compile(r"(?!\.)[^/\0]{1,255}(/(?!\.)[^/\0]{1,255}){0,20}")


class Damaged(ValueError):
    """What was read is not what was written."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of a run: its path below the folder, bytes, SHA-256, and whether it is an object of its own."""

    path: str
    size: int
    sha256: str
    apart: bool


@dataclass(frozen=True, slots=True)
class Pack:
    """All files of a run as it ended after `attempts` with `status`."""

    attempts: int
    status: str
    files: tuple[File, ...]

    @property
    def apart(self) -> list[File]:
        return [file for file in self.files if file.apart]


def survey(folder: Path, attempts: int, status: str) -> Pack:
    """What there is to be kept of a run."""
    found: list[File] = []
    room = TOGETHER
    for path in _kept(folder):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = os.fstat(file.fileno()).st_size
        apart = size > min(APART, room)
        room -= 0 if apart else size
        found.append(File(path.relative_to(folder).as_posix(), size, digest, apart))
    return Pack(attempts, status, tuple(found))


def write(pack: Pack, folder: Path) -> bytes:
    """The table and the small files.

    Raises:
        Damaged: a file has changed since.
    """
    parts = [json.dumps(asdict(pack), separators=(",", ":")).encode() + b"\n"]
    for file in pack.files:
        if not file.apart:
            data = (folder / file.path).read_bytes()
            _check(file, data)
            parts.append(data)
    return b"".join(parts)


def read(data: bytes) -> tuple[Pack, dict[str, bytes]]:
    """The table, and the small files by path.

    Raises:
        Damaged: it is cut off, or was changed.
    """
    head, _, rest = data.partition(b"\n")
    try:
        said: dict[str, Any] = json.loads(head)
        files = tuple(File(**file) for file in said["files"])
        pack = Pack(int(said["attempts"]), str(said["status"]), files)
    except (ValueError, TypeError, KeyError) as error:
        raise Damaged(f"its table cannot be read ({error})") from None
    small: dict[str, bytes] = {}
    position = 0
    for file in files:
        if not _PATH.fullmatch(file.path):
            raise Damaged(f"its table has the path {file.path[:80]!r}")
        if not file.apart:
            small[file.path] = rest[position : position + file.size]
            _check(file, small[file.path])
            position += file.size
    return pack, small


def _check(file: File, data: bytes) -> None:
    if len(data) != file.size:
        raise Damaged(f"{file.path} has {len(data)} of {file.size} bytes")
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise Damaged(f"{file.path} does not hash to {file.sha256[:12]}")


def _kept(folder: Path) -> Iterator[Path]:
    """Regular files, in order, without what was private to a process or is the worker's own."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in PRIVATE)
        for name in sorted(files):
            path = Path(place, name)
            own = name.startswith((NOTE, ".")) or name in PRIVATE or path == folder / "input"
            if not own and path.is_file() and not path.is_symlink():
                yield path
