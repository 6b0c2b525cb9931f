"""What a path leads to: a file that has changed is another value, whatever it is called."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from pathlib import Path

# Files below a folder that is an argument.
MOST_FILES = 10_000
# A file that was changed a moment ago may be changed again without a trace in its times.
_SETTLED_NS = 2_000_000_000
_KEEP = 4096

_Seen = tuple[int, int, int, int, int]
_hashes: dict[str, tuple[_Seen, str]] = {}


class TooMany(ValueError):
    """A folder holds more files than are looked at."""


def content(path: Path) -> str:
    """The content of a file, of all files below a folder, or that there is none."""
    try:
        state = os.stat(path)
        if stat.S_ISREG(state.st_mode):
            return f"file {state.st_size} {_file(os.fspath(path), state)}"
        if stat.S_ISDIR(state.st_mode):
            return "folder " + _folder(os.fspath(path))
        return "special"
    except FileNotFoundError:
        return "nothing"
    except OSError as error:
        return f"unreadable {error.errno}"


def grown(path: Path, before: str) -> bool:
    """Whether a file only got longer since `content` gave `before`: a log, or a file that is made."""
    kind, *known = before.split(" ")
    if kind == "nothing":
        return path.is_file()
    if kind != "file":
        return False
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read(int(known[0]))).hexdigest() == known[1]
    except OSError:
        return False


def _folder(top: str) -> str:
    whole = hashlib.sha256()
    count = 0
    for folder, inner, files in os.walk(top):
        inner.sort()
        for name in sorted(files):
            count += 1
            if count > MOST_FILES:
                raise TooMany(f"is a folder of more than {MOST_FILES:,} files; pass the files that matter")
            full = os.path.join(folder, name)
            whole.update(os.fsencode(os.path.relpath(full, top)) + b"\0" + content(Path(full)).encode() + b"\0")
        whole.update(os.fsencode(os.path.relpath(folder, top)) + b"/\0")
    return whole.hexdigest()


def _file(name: str, state: os.stat_result) -> str:
    name = os.path.abspath(name)
    seen = state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino, state.st_dev
    known = _hashes.get(name)
    if known is not None and known[0] == seen:
        return known[1]
    with open(name, "rb") as file:
        made = hashlib.file_digest(file, "sha256").hexdigest()
    if max(state.st_mtime_ns, state.st_ctime_ns) < time.time_ns() - _SETTLED_NS:
        if len(_hashes) >= _KEEP:
            _hashes.clear()
        _hashes[name] = seen, made
    return made
