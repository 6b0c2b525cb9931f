"""Files that belong to an operator: in a temporary folder of this process, and as bytes where the operator travels."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Bundle:
    """A folder of files that nobody changes. It goes when the last operator that needs it goes."""

    def __init__(self, folder: Path) -> None:
        """Takes the folder over."""
        self.folder = folder
        weakref.finalize(self, _remove, folder, os.getpid())

    @classmethod
    def of(cls, files: Mapping[str, str | os.PathLike[str] | bytes]) -> Bundle:
        """Files by their names in the folder: what they hold, or where to copy them from."""
        folder = Path(tempfile.mkdtemp(prefix="operator-lib-archive-"))
        made = cls(folder)
        for name, source in files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(source, bytes):
                target.write_bytes(source)
            else:
                shutil.copyfile(source, target)
        return made

    @property
    def names(self) -> list[str]:
        """Every file, as a path below the folder."""
        found = (file for file in self.folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
        return sorted(file.relative_to(self.folder).as_posix() for file in found)

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def digest(self) -> str:
        """Of names and contents: equal for equal files."""
        found = hashlib.sha256()
        for name in self.names:
            with open(self.folder / name, "rb") as file:
                found.update(f"{name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
        return found.hexdigest()

    def __deepcopy__(self, memo: Any) -> Bundle:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened, (tuple((name, self.read(name)) for name in self.names),)


class Lent(Bundle):
    """The same folder for another process of this machine: it stays whose it is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return Lent, (self.folder,)


def _opened(files: tuple[tuple[str, bytes], ...]) -> Bundle:
    return Bundle.of(dict(files))


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # a fork has a copy of the object, not of the folder
        with contextlib.suppress(OSError):
            shutil.rmtree(folder, ignore_errors=True)
