"""SHA-256 of files, remembered between scans for those that have not been touched since."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from operator_lib.endpoint import make_private
from operator_lib.errors import DeployError

# A file changed twice within the clock's tick keeps its time stamp: young files are always read (git's "racy"
# rule).
SETTLED_NS = 2_000_000_000
_FORMAT = 1

Key = tuple[int, int, int, int]


def cache_folder() -> Path:
    """Where things live that can be computed again: ``$OPERATOR_LIB_HOME/cache``, else the user's cache
    folder.
    """
    home = os.environ.get("OPERATOR_LIB_HOME")
    if home:
        return Path(home) / "cache"
    import platformdirs

    return Path(platformdirs.user_cache_dir("operator_lib"))


class HashCache:
    """The hashes of one project. One small JSON file, replaced whole: of two writers at once the later one
    wins, which costs the other one a re-read and nothing else.
    """

    def __init__(self, root: str, folder: Path | None = None) -> None:
        name = hashlib.sha256(os.fsencode(root)).hexdigest()[:32]
        self._file = (folder or cache_folder()) / "hashes" / f"{name}.json"
        self._known = _load(self._file)
        self._seen: dict[str, tuple[Key, str]] = {}

    def sha256(self, source: str, state: os.stat_result) -> tuple[str, os.stat_result]:
        """The hash of a file that looked like `state` a moment ago, and its state when it was read.

        Raises `DeployError` if it cannot be read, or does not hold still.
        """
        key = _key(state)
        known = self._known.get(source)
        if known is not None and known[0] == key and _settled(state):
            self._seen[source] = known
            return known[1], state
        digest, state = _read(source)
        if _settled(state):
            self._seen[source] = (_key(state), digest)
        return digest, state

    def save(self) -> None:
        """Keep what this scan has seen. A cache that cannot be written is no error."""
        if self._seen == self._known:
            return
        entries = {source: [*key, digest] for source, (key, digest) in self._seen.items()}
        try:
            make_private(self._file.parent)
            handle, name = tempfile.mkstemp(dir=self._file.parent, suffix=".tmp")
            try:
                with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
                    json.dump({"format": _FORMAT, "files": entries}, file, ensure_ascii=False)
                os.replace(name, self._file)
            except BaseException:
                os.unlink(name)
                raise
        except OSError:
            return


def _key(state: os.stat_result) -> Key:
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino


def _settled(state: os.stat_result) -> bool:
    return max(state.st_mtime_ns, state.st_ctime_ns) < time.time_ns() - SETTLED_NS


def _read(source: str) -> tuple[str, os.stat_result]:
    for _ in range(2):
        try:
            with open(source, "rb") as file:
                before = os.fstat(file.fileno())
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                after = os.fstat(file.fileno())
        except OSError as error:
            raise DeployError(f"{source} cannot be read: {error.strerror}; add it to .nboxignore") from error
        if _key(before) == _key(after):
            return digest, after
    raise DeployError(f"{source} keeps changing while it is read; stop what writes to it or add it to .nboxignore")


def _load(file: Path) -> Mapping[str, tuple[Key, str]]:
    try:
        stored: Any = json.loads(file.read_text(encoding="utf-8", errors="surrogateescape"))
        if stored["format"] != _FORMAT:
            return {}
        return {s: ((e[0], e[1], e[2], e[3]), str(e[4])) for s, e in stored["files"].items()}
    except (OSError, ValueError, TypeError, KeyError, IndexError):
        return {}
