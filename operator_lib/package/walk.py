"""Walking a folder: what the ignore rules leave, links followed only to what lies inside."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from operator_lib import endpoint
from operator_lib.errors import DeployError
from operator_lib.package.ignore import ENVIRONMENT_MARKS, FILE, Ignore
from operator_lib.package.paths import MAX_DEPTH

# What every home of a worker has.
HOME_MARKS = frozenset({endpoint.ENDPOINT, endpoint.TOKEN, "lock"})


@dataclass(frozen=True, slots=True)
class Found:
    """A file to be uploaded: where it goes (relative, POSIX), where it is, and its state when it was seen."""

    path: str
    source: str
    state: os.stat_result


@dataclass
class Walk:
    """One walk below `root` (an absolute path without links). Stops with ``cut`` after `limit` files."""

    root: str
    limit: int
    files: list[Found] = field(default_factory=list[Found])
    warnings: list[str] = field(default_factory=list[str])
    credentials: list[str] = field(default_factory=list[str])
    bad_links: list[str] = field(default_factory=list[str])
    cut: bool = False

    def folder(self, place: str, base: str, rules: Ignore, trail: tuple[str, ...]) -> None:
        """Collect below `place`, whose files go below `base` (``""`` or ``"sub/"``)."""
        if base.count("/") > MAX_DEPTH:
            raise DeployError(f"{base} lies more than {MAX_DEPTH} levels deep; add it to {FILE}")
        try:
            with os.scandir(place) as listing:
                entries = sorted(listing, key=lambda e: e.name)
        except OSError as error:
            raise DeployError(f"{base or place} cannot be read: {error.strerror}; add it to {FILE}") from error
        names = {e.name for e in entries}
        if base and names >= HOME_MARKS:  # with tokens and keys; no rule brings it back
            return
        if base and names & ENVIRONMENT_MARKS and rules.ignores(base[:-1], True, environment=True):
            return
        if FILE in names:
            rules = rules.enter(base, _text(os.path.join(place, FILE)))
        for entry in entries:
            if self.cut:
                return
            self._entry(entry, base + entry.name, rules, trail)

    def _entry(self, entry: os.DirEntry[str], path: str, rules: Ignore, trail: tuple[str, ...]) -> None:
        if entry.is_symlink():
            self._link(entry, path, rules, trail)
        elif entry.is_dir(follow_symlinks=False):
            if self._wanted(path, True, rules):
                self.folder(entry.path, path + "/", rules, (*trail, entry.path))
        elif self._wanted(path, False, rules):
            if entry.is_file(follow_symlinks=False):
                self.add(Found(path, entry.path, entry.stat(follow_symlinks=False)))
            else:
                self.warnings.append(f"{path} left out: it is not a regular file")

    def _wanted(self, path: str, is_folder: bool, rules: Ignore) -> bool:
        ignored = rules.ignores(path, is_folder)
        if ignored and rules.credential(path, is_folder):
            self.credentials.append(path)
        return not ignored

    def _link(self, entry: os.DirEntry[str], path: str, rules: Ignore, trail: tuple[str, ...]) -> None:
        is_folder = os.path.isdir(entry.path)
        if not self._wanted(path, is_folder, rules):
            return
        try:
            real = os.path.realpath(entry.path, strict=True)
        except OSError as error:
            reason = "it leads back to itself" if error.errno == errno.ELOOP else "its target is missing"
            self.bad_links.append(f"{path} -> {os.readlink(entry.path)}: {reason}")
            return
        if not inside(real, self.root):
            self.bad_links.append(f"{path} -> {real}: outside the folder")
        elif is_folder and any(inside(step, real) for step in (*trail, os.path.dirname(entry.path))):
            self.bad_links.append(f"{path} -> {real}: it leads back to a folder above itself")
        elif self._hides_credential(real, is_folder, rules):
            self.credentials.append(path)
        elif is_folder:
            self.folder(real, path + "/", rules, (*trail, real))
        elif stat.S_ISREG((state := os.stat(real)).st_mode):
            self.add(Found(path, real, state))
        else:
            self.warnings.append(f"{path} left out: it is not a regular file")

    def _hides_credential(self, real: str, is_folder: bool, rules: Ignore) -> bool:
        parts = os.path.relpath(real, self.root).split(os.sep)
        return any(
            rules.credential("/".join(parts[: n + 1]), is_folder or n + 1 < len(parts)) for n in range(len(parts))
        )

    def add(self, found: Found) -> None:
        self.files.append(found)
        self.cut = len(self.files) >= self.limit


def inside(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or lies below it; both absolute and without links."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def walk(root: Path, ignore_patterns: Sequence[str], limit: int) -> Walk:
    """Everything below `root` that is not ignored, in the order of its names."""
    found = Walk(os.path.realpath(root), limit)
    found.folder(found.root, "", Ignore.of(ignore_patterns), (found.root,))
    return found


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except OSError as error:
        raise DeployError(f"{path} cannot be read: {error.strerror}") from error
