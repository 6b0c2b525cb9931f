"""A folder made from a manifest and blobs: whole or not at all, and never outside of where it belongs."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from operator_lib.errors import DeployError
from operator_lib.package.paths import check_manifest

PARTIAL = ".partial-"
_CHUNK = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

File = tuple[str, str, bool]
"""path, sha256, executable"""


def materialise(files: Iterable[File], blob_path: Callable[[str], Path], target: Path) -> None:
    """Make the folder `target` out of the blobs, in one step: it appears complete or not at all.

    Raises `DeployError` for a bad path or a blob that is not what its name says, FileExistsError if `target`
    is there.
    """
    chosen = sorted(files)
    check_manifest(path for path, _, _ in chosen)
    partial = target.parent / f"{PARTIAL}{secrets.token_hex(8)}"
    partial.mkdir(mode=0o700)
    try:
        _fill(partial, chosen, blob_path)
        if os.path.lexists(target):
            raise FileExistsError(f"{target} exists already")
        os.rename(partial, target)
        _flush_folder(target.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def clean_partials(parent: Path) -> int:
    """Remove what a crash half-way has left in `parent`; how many folders that were."""
    left = [entry for entry in parent.iterdir() if entry.name.startswith(PARTIAL)]
    for entry in left:
        shutil.rmtree(entry, ignore_errors=True)
    return len(left)


def _fill(partial: Path, files: list[File], blob_path: Callable[[str], Path]) -> None:
    branch = _Branch(os.open(partial, _FOLDER))
    try:
        for path, sha256, executable in files:
            folder, _, name = path.rpartition("/")
            _write(name, branch.at(folder), blob_path(sha256), sha256, executable)
        os.fchmod(branch.root, 0o755)
        _flush_all(branch.root, partial)
    finally:
        branch.close()


class _Branch:
    """The open folders on the way to the latest file. Each is opened from the one above it, never by its
    path, so that nothing can be slipped in between.
    """

    def __init__(self, root: int) -> None:
        self.root = root
        self._open: list[tuple[str, int]] = []

    def at(self, folder: str) -> int:
        parts = folder.split("/") if folder else []
        shared = 0
        while shared < min(len(parts), len(self._open)) and self._open[shared][0] == parts[shared]:
            shared += 1
        while len(self._open) > shared:
            os.close(self._open.pop()[1])
        for part in parts[shared:]:
            above = self._open[-1][1] if self._open else self.root
            with contextlib.suppress(FileExistsError):  # made for an earlier file
                os.mkdir(part, 0o755, dir_fd=above)
            here = os.open(part, _FOLDER, dir_fd=above)
            self._open.append((part, here))
            os.fchmod(here, 0o755)
        return self._open[-1][1] if self._open else self.root

    def close(self) -> None:
        for _, handle in self._open:
            os.close(handle)
        os.close(self.root)


def _write(name: str, folder: int, blob: Path, sha256: str, executable: bool) -> None:
    digest = hashlib.sha256()
    handle = os.open(name, _NEW_FILE, 0o600, dir_fd=folder)
    with os.fdopen(handle, "wb", buffering=0) as out, open(blob, "rb", buffering=0) as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            view = memoryview(chunk)
            while view:
                view = view[out.write(view) :]
        os.fchmod(handle, 0o755 if executable else 0o644)
    if digest.hexdigest() != sha256:
        raise DeployError(f"the stored content of {name} is damaged (blob {sha256}); deploy again")


def _flush_all(root: int, partial: Path) -> None:
    if _syncfs(root):
        return
    for folder, _, names in os.walk(partial):
        for name in names:
            handle = os.open(os.path.join(folder, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        _flush_folder(Path(folder))


def _syncfs(handle: int) -> bool:
    """One call for the whole file system instead of thousands of fsync; False where there is no such call."""
    import ctypes

    call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    return call is not None and call(handle) == 0


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, _FOLDER)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
