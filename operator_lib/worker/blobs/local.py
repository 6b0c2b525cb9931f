"""Blobs in a folder: uploads that can be resumed, and files that are what their name says.

A blob counts once its hash has been checked and it is durable under its name. Until then it is a partial, to
which any number of uploaders may add: bytes that are there already are skipped, a gap is refused.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from operator_lib.errors import NotFound, OperatorError
from operator_lib.worker.durable import flush

if TYPE_CHECKING:
    from hashlib import _Hash

T = TypeVar("T")
Ref = tuple[str, int]
"""SHA-256 and size in bytes of a blob."""

SHA256 = re.compile(r"[0-9a-f]{64}")
KEEP_PARTIALS = 24 * 3600.0  # seconds
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class BlobError(OperatorError, OSError):
    """A blob could not be taken or stored; the message says why."""


class WrongOffset(BlobError):
    """Bytes in between are missing; `expected` is the offset to send from."""

    def __init__(self, message: str, expected: int) -> None:
        super().__init__(message)
        self.expected = expected


class BlobMismatch(BlobError):
    """The content is not what its hash or size says. The partial is gone; send it again from 0."""


@dataclass(slots=True)
class _Partial:
    """An upload under way. `hasher` has seen every byte so far, or is None for one begun before a restart."""

    path: Path
    received: int
    hasher: _Hash | None
    size: int | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    done: bool = False


class Blobs:
    """The folder `root`: blobs as ``ab/abcdef...``, uploads under way in ``partial``. Safe with threads.

    One process at a time may write into a folder.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self._partials: dict[str, _Partial] = {}
        self._lock = threading.Lock()
        (self.root / "partial").mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, sha: str) -> Path:
        """Where the blob lies.

        Raises:
            NotFound: there is none.
        """
        place = self._place(sha)
        if not place.is_file():
            raise NotFound(f"there is no blob {sha}; upload it again")
        return place

    def here(self, sha: str) -> bool:
        """Whether `path` answers at once; it is about to be used."""
        return self._place(sha).is_file()

    def has(self, sha: str, size: int | None = None) -> bool:
        """Whether the blob is there (with that size in bytes). Its content is not read: see `verify`."""
        try:
            found = self._place(sha).stat().st_size
        except FileNotFoundError:
            return False
        return size is None or found == size

    def verify(self, sha: str) -> bool:
        """Whether the blob is there and hashes to its name."""
        try:
            with self._place(sha).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha
        except FileNotFoundError:
            return False

    def received(self, sha: str) -> int:
        """Bytes of an upload that are here, of a finished one all: the offset to go on from."""
        place = self._place(sha)
        if place.is_file():
            return place.stat().st_size
        partial = self._find(sha)
        return partial.received if partial is not None else 0

    def append(self, sha: str, offset: int, data: bytes, size: int) -> int:
        """Add bytes to an upload of `size` bytes in all; the number of bytes that are here now.

        Raises:
            WrongOffset: bytes before `offset` are missing.
            BlobError: more bytes than declared, another size than before, or no space (the partial is kept).
        """
        if offset < 0 or size < 0 or offset + len(data) > size:
            raise BlobError(f"blob {sha[:12]}: {len(data)} bytes at {offset} do not fit into its {size} bytes")
        partial = self._find(sha, begin=True)
        if partial is None:
            return size
        with partial.lock:
            if partial.done:
                return size
            if partial.size not in (None, size):
                raise BlobError(f"blob {sha[:12]} was announced with {partial.size} bytes, now with {size}")
            if partial.received > size:
                self._drop(sha, partial)
                raise BlobMismatch(f"blob {sha[:12]}: more than its {size} bytes had been sent; send it from 0")
            if offset > partial.received:
                raise self._gap(sha, offset, partial.received)
            partial.size = size
            self._write(sha, partial, memoryview(data)[partial.received - offset :])
            return partial.received

    def commit(self, sha: str, size: int | None = None) -> Path:
        """Check the hash (and size), make the blob durable under its name; its path.

        Raises:
            NotFound: nothing was uploaded.
            BlobMismatch: hash or size are wrong.
        """
        partial = self._find(sha)
        if partial is None:
            return self.path(sha)
        with partial.lock:
            if partial.done:
                return self.path(sha)
            size = partial.size if size is None else size
            if size is not None and partial.received < size:
                raise WrongOffset(f"blob {sha[:12]} has {partial.received} of {size} bytes", partial.received)
            if self._digest(partial) != sha or size not in (None, partial.received):
                self._drop(sha, partial)
                raise BlobMismatch(
                    f"the {partial.received} bytes sent as blob {sha} do not hash to that; send them again"
                )
            self._publish(sha, partial)
        return self._place(sha)

    def renew(self, sha: str, size: int) -> bool:
        """Whether the blob is there with that size, and from now on as if it had just come: it is about to be named."""
        with self._lock:
            if not self.has(sha, size):
                return False
            os.utime(self._place(sha))
            return True

    async def aside(self, action: Callable[..., T], *arguments: Any) -> T:
        """Do in a thread what reads or writes blobs."""
        return await asyncio.to_thread(action, *arguments)

    def lacking(self, refs: Iterable[Ref]) -> dict[str, int]:
        """Which of these have to be uploaded, with the offset to go on from. The others count as just come."""
        return {sha: self.received(sha) for sha, size in refs if not self.renew(sha, size)}

    def keep(self, refs: Iterable[Ref], patience: float = 0.0, within: float | None = None) -> set[str]:
        """Make sure that blobs outlive what this worker may go through: something is about to name them.

        Args:
            patience: seconds for which what keeps them may be away.
            within: seconds that it may take; None: as long as it goes on.

        Returns those that have not been uploaded.
        """
        return {sha for sha, size in refs if not self.renew(sha, size)}

    def bring(self, shas: Collection[str]) -> None:
        """Have them ready for `path`.

        Raises:
            NotFound: one of them is not there.
        """
        for sha in shas:
            self.path(sha)

    def older(self, before: float) -> set[str]:
        """Blobs that came before then (seconds since the epoch)."""
        found = (path for folder in self.root.iterdir() if len(folder.name) == 2 for path in folder.iterdir())
        return {path.name for path in found if path.stat().st_mtime < before}

    def remove(self, shas: Iterable[str], before: float) -> int:
        """Remove those that are not newer than that; how many."""
        return sum(self.discard(sha, before) for sha in shas)

    def discard(self, sha: str, before: float) -> bool:
        """Remove the blob unless it is newer than that; whether it was."""
        place = self._place(sha)
        with self._lock:
            if not place.is_file() or place.stat().st_mtime >= before:
                return False
            place.unlink()
            return True

    def put(self, data: bytes) -> str:
        """Store bytes; their SHA-256."""
        sha = hashlib.sha256(data).hexdigest()
        if not self.has(sha, len(data)):
            self.append(sha, 0, data, len(data))
            self.commit(sha, len(data))
        return sha

    def sweep(self, older_than: float = KEEP_PARTIALS) -> int:
        """Remove uploads nobody has added to for that many seconds; how many."""
        before, removed = time.time() - older_than, 0
        for path in list((self.root / "partial").iterdir()):
            if not SHA256.fullmatch(path.name):
                continue
            partial = self._find(path.name)
            if partial is None:
                # Left beside a finished blob, by a crash after the blob was there.
                path.unlink(missing_ok=True)
                continue
            with partial.lock:
                if not partial.done and path.exists() and path.stat().st_mtime < before:
                    self._drop(path.name, partial)
                    removed += 1
        return removed

    def _place(self, sha: str) -> Path:
        if not SHA256.fullmatch(sha):
            raise BlobError(f"a blob is named by 64 lower-case hex digits, not {sha[:80]!r}")
        return self.root / sha[:2] / sha

    def _find(self, sha: str, begin: bool = False) -> _Partial | None:
        """The upload under way; None when the blob is finished, or there is none and none is to begin."""
        place = self._place(sha)
        with self._lock:
            partial = self._partials.get(sha)
            if partial is not None:
                return partial
            if place.is_file():
                return None
            path = self.root / "partial" / sha
            try:
                # Begun before a restart: its bytes are read again when it is complete.
                partial = _Partial(path, path.stat().st_size, None)
            except FileNotFoundError:
                if not begin:
                    return None
                partial = _Partial(path, 0, hashlib.sha256())
            self._partials[sha] = partial
            return partial

    def _gap(self, sha: str, offset: int, received: int) -> WrongOffset:
        words = f"blob {sha[:12]}: bytes {received} to {offset} are missing; send from {received} on"
        return WrongOffset(words, received)

    def _write(self, sha: str, partial: _Partial, data: memoryview) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            file = os.open(partial.path, flags, 0o600)
            try:
                self._write_at(file, sha, partial, data)
            finally:
                os.close(file)
        except BlobError:
            raise
        except OSError as error:
            raise self._in_words(error, len(data)) from error
        partial.received += len(data)
        if partial.hasher is not None:
            partial.hasher.update(data)

    def _write_at(self, file: int, sha: str, partial: _Partial, data: memoryview) -> None:
        if os.fstat(file).st_size < partial.received:
            # Somebody cleaned up behind our back; the hash knows bytes that are gone.
            lost = partial.received
            self._drop(sha, partial)
            raise self._gap(sha, lost, 0)
        at = partial.received
        while data:
            written = os.pwrite(file, data, at)
            at, data = at + written, data[written:]

    def _digest(self, partial: _Partial) -> str:
        if partial.hasher is not None and partial.path.stat().st_size == partial.received:
            return partial.hasher.hexdigest()
        with partial.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _publish(self, sha: str, partial: _Partial) -> None:
        place = self._place(sha)
        try:
            file = os.open(partial.path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                os.fsync(file)
            finally:
                os.close(file)
            if not place.parent.is_dir():
                place.parent.mkdir(mode=0o700, exist_ok=True)
                flush(self.root)
            os.replace(partial.path, place)
            flush(place.parent)
        except OSError as error:
            raise self._in_words(error, partial.received) from error
        self._forget(sha, partial)

    def _drop(self, sha: str, partial: _Partial) -> None:
        partial.path.unlink(missing_ok=True)
        self._forget(sha, partial)

    def _forget(self, sha: str, partial: _Partial) -> None:
        partial.done = True
        with self._lock:
            if self._partials.get(sha) is partial:
                del self._partials[sha]

    def _in_words(self, error: OSError, needed: int) -> BlobError:
        if error.errno not in NO_SPACE:
            return BlobError(f"the blob could not be stored in {self.root}: {error}")
        free = shutil.disk_usage(self.root).free
        failure = BlobError(
            f"the disk or the quota is full: {free / 1e6:.1f} MB free at {self.root}, "
            f"{needed / 1e6:.1f} MB needed; what has been sent is kept, free some space and send the rest"
        )
        failure.errno = error.errno
        return failure
