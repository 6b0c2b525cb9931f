"""Archives of others, opened with care: ``.war`` and ``.mar`` are zip files, ``.tar.gz`` and folders are models too.

Everything is looked at before the first byte is written, and written below one new folder, which goes again when
anything is wrong.
"""

from __future__ import annotations

import gzip
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Protocol

from operator_lib.frontends.torchserve.problems import InvalidArchive

_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    gzip.BadGzipFile,
    EOFError,
    NotImplementedError,
    UnicodeError,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may hold.

    Attributes:
        files: how many.
        unpacked: bytes of all together.
        ratio: how many times larger than the archive they may be, above `small` bytes. Text shrinks to a twentieth;
            what shrinks to a thousandth is made to fill disks.
    """

    files: int = 20_000
    unpacked: int = 64 << 30
    ratio: int = 200
    small: int = 64 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive."""

    name: str
    size: int
    what: Any


class Source(Protocol):
    """An archive that is open for reading."""

    def members(self) -> Iterator[Member]: ...

    def open(self, member: Member) -> AbstractContextManager[IO[bytes]]: ...


def unpack(path: str | os.PathLike[str], manifest: str, limits: Limits | None = None) -> Path:
    """Write the files of an archive into a new temporary folder.

    Args:
        manifest: a file that has to be in it, such as ``"MAR-INF/MANIFEST.json"``.

    Raises:
        InvalidArchive: it is broken, incomplete or hostile; nothing stays behind.
        FileNotFoundError: there is no such file.
    """
    path, limits = Path(path), limits or Limits()
    if not path.exists():
        raise FileNotFoundError(f"there is no archive {path}")
    folder = Path(tempfile.mkdtemp(prefix="operator-lib-archive-"))
    try:
        if path.is_dir():
            _copy(path, folder, limits)
        else:
            with _opened(path) as source:
                _write(path, source, folder, limits)
        if not (folder / manifest).is_file():
            raise InvalidArchive(f"{path.name} has no {manifest}: it was not made by an archiver")
    except BaseException as problem:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(problem, _BROKEN):
            raise InvalidArchive(f"{path.name} is broken: {problem}; copy it again") from problem
        raise
    return folder


def _opened(path: Path) -> AbstractContextManager[Source]:
    if zipfile.is_zipfile(path):
        return _Zip(path)
    if path.name.endswith((".tar.gz", ".tgz")):
        return _Tar(path)
    raise InvalidArchive(f"{path.name} is no zip file, which .war and .mar files are; make it with an archiver")


class _Zip(AbstractContextManager[Source]):
    def __init__(self, path: Path) -> None:
        self.file = zipfile.ZipFile(path)

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def __enter__(self) -> Source:
        return self

    def members(self) -> Iterator[Member]:
        for info in self.file.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise InvalidArchive(f"{self._name} holds {info.filename!r}, which is a link or a device, not a file")
            if info.flag_bits & 1:
                raise InvalidArchive(f"{self._name}: {info.filename!r} is encrypted")
            if not info.is_dir():
                yield Member(info.filename, info.file_size, info)

    @property
    def _name(self) -> str:
        return Path(self.file.filename or "").name

    def open(self, member: Member) -> AbstractContextManager[IO[bytes]]:
        return self.file.open(member.what)


class _Tar(AbstractContextManager[Source]):
    """As ``torch-model-archiver --archive-format tgz`` makes them: everything is in one folder."""

    def __init__(self, path: Path) -> None:
        self.file = tarfile.open(path, "r:gz")  # noqa: SIM115  # closed by __exit__
        self.name = path.name

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def __enter__(self) -> Source:
        return self

    def members(self) -> Iterator[Member]:
        for info in self.file:
            if not info.isfile() and not info.isdir():
                raise InvalidArchive(f"{self.name} holds {info.name!r}, which is a link or a device, not a file")
            if info.isfile():
                _safe(self.name, info.name)
                inner = PurePosixPath(info.name).parts[1:]
                yield Member(str(PurePosixPath(*inner)) if inner else info.name, info.size, info)

    def open(self, member: Member) -> AbstractContextManager[IO[bytes]]:
        found = self.file.extractfile(member.what)
        assert found is not None, "only files are members"
        return found


def _write(path: Path, source: Source, folder: Path, limits: Limits) -> None:
    members = _checked(path, source, limits)
    left = limits.unpacked
    for place, member in members:
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "xb") as file:
            # What a header says is a claim: no more is written than was checked.
            for chunk in _chunks(path, source, member):
                left -= len(chunk)
                if left < 0 or file.tell() + len(chunk) > member.size:
                    raise InvalidArchive(f"{path.name}: {member.name!r} is larger than its header says")
                file.write(chunk)


def _chunks(path: Path, source: Source, member: Member) -> Iterator[bytes]:
    """The contents of a file. What fails in here fails for what the archive holds, whatever it is called."""
    try:
        with source.open(member) as data:
            while chunk := data.read(min(1 << 20, member.size + 1)):
                yield chunk
    except Exception as problem:
        raise InvalidArchive(f"{path.name} is broken at {member.name!r}: {problem}; copy it again") from problem


def _checked(path: Path, source: Source, limits: Limits) -> list[tuple[PurePosixPath, Member]]:
    """Every file and where it goes; refuses before anything is written."""
    found: dict[PurePosixPath, Member] = {}
    total, packed = 0, path.stat().st_size
    for member in source.members():
        place = _safe(path.name, member.name)
        if place in found:
            raise InvalidArchive(f"{path.name} holds {member.name!r} twice")
        found[place] = member
        total += member.size
        if len(found) > limits.files:
            raise InvalidArchive(f"{path.name} holds more than {limits.files:,} files")
        if total > limits.unpacked or (total > limits.small and total > limits.ratio * packed):
            raise InvalidArchive(f"{path.name} would grow from {packed:,} to more than {total:,} bytes")
    for place in found:
        if any(parent in found for parent in place.parents):
            raise InvalidArchive(f"{path.name} holds {str(place)!r} below a file")
    return list(found.items())


def _safe(archive: str, name: str) -> PurePosixPath:
    """The place of a member below the folder."""
    place = PurePosixPath(name)
    parts = name.split("/")
    bad = place.is_absolute() or ".." in parts or "\\" in name or "\0" in name or not place.parts
    if bad or (len(parts[0]) == 2 and parts[0][1] == ":") or any(len(part.encode()) > 255 for part in parts):
        raise InvalidArchive(f"{archive} holds {name!r}, which would be written outside of it")
    return place


def _copy(path: Path, folder: Path, limits: Limits) -> None:
    """A model that ``--archive-format no-archive`` left as a folder."""
    count = 0
    for file in sorted(path.rglob("*")):
        if file.is_symlink() or not (file.is_file() or file.is_dir()):
            raise InvalidArchive(f"{path.name} holds {file.name!r}, which is a link or a device, not a file")
        if file.is_file():
            count += 1
            if count > limits.files:
                raise InvalidArchive(f"{path.name} holds more than {limits.files:,} files")
            target = folder / file.relative_to(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
