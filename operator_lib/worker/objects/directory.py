"""Objects as files below a folder, which may be on a disk that several machines share."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import time
from collections.abc import Generator, Iterator
from pathlib import Path

from operator_lib.worker.durable import flush
from operator_lib.worker.objects.base import Away, Found, ObjectsError, Refusing

# What is being written lies here, and is renamed when it is whole.
PARTIAL = ".partial"
# Of a shared disk that is gone for a moment; everything else is for somebody to look after.
_PASSING = frozenset({errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENOTCONN})


class Directory:
    """The folder `root`, which is made if need be."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.where = str(root)

    def put(self, name: str, source: Path | bytes) -> None:
        with self._in_words("write", name):
            partial = self.root / PARTIAL / secrets.token_hex(16)
            _make(partial.parent)
            try:
                _write(partial, source)
                target = self.root / name
                _make(target.parent)
                os.replace(partial, target)
                flush(target.parent)
            finally:
                partial.unlink(missing_ok=True)

    def get(self, name: str, target: Path) -> bool:
        with self._in_words("read", name):
            try:
                source = (self.root / name).open("rb")
            except (FileNotFoundError, NotADirectoryError):
                return False
            with source, target.open("xb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
        return True

    def read(self, name: str) -> bytes | None:
        with self._in_words("read", name), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            return (self.root / name).read_bytes()
        return None

    def look(self, name: str) -> Found | None:
        with self._in_words("look at", name), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            there = (self.root / name).stat()
            return Found(name, there.st_size, there.st_mtime)
        return None

    def under(self, folder: str) -> Iterator[Found]:
        with self._in_words("list", folder):
            for place, _, files in os.walk(self.root / folder):
                for file in files:
                    name = os.path.relpath(os.path.join(place, file), self.root)
                    found = self.look(name)
                    if found is not None:
                        yield found

    def remove(self, name: str) -> None:
        with self._in_words("remove", name):
            (self.root / name).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # the folder of a run is empty after its last object
                (self.root / name).parent.rmdir()

    def tidy(self, older_than: float) -> int:
        before, removed = time.time() - older_than, 0
        with self._in_words("tidy", PARTIAL), contextlib.suppress(FileNotFoundError):
            for partial in (self.root / PARTIAL).iterdir():
                if partial.stat().st_mtime < before:
                    partial.unlink(missing_ok=True)
                    removed += 1
        return removed

    def close(self) -> None:
        """Nothing is under way for long."""

    @contextlib.contextmanager
    def _in_words(self, what: str, name: str) -> Generator[None]:
        try:
            yield
        except ObjectsError:
            raise
        except OSError as error:
            kind = Away if error.errno in _PASSING else Refusing
            raise kind(f"cannot {what} {name} in {self.where}: {error.strerror or error}") from error


def _write(path: Path, source: Path | bytes) -> None:
    with path.open("xb") as file:
        if isinstance(source, bytes):
            file.write(source)
        else:
            with source.open("rb") as reading:
                shutil.copyfileobj(reading, file, 1 << 20)
        file.flush()
        os.fsync(file.fileno())


def _make(folder: Path) -> None:
    """Make a folder; a name that is new is on the disk before anything is put below it."""
    if not folder.is_dir():
        _make(folder.parent)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        flush(folder.parent)
