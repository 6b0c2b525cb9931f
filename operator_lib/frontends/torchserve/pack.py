"""Writing archives that the original server reads. The same files give the same bytes, up to the time they name."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Generator, Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Literal

from operator_lib.frontends.torchserve.manifest import MAR

Format = Literal["default", "zip-store", "tgz", "no-archive"]
SUFFIXES: Mapping[Format, str] = {"default": ".mar", "zip-store": ".mar", "tgz": ".tar.gz", "no-archive": ""}
Files = Mapping[str, str | os.PathLike[str] | bytes]
# The earliest time that a zip file can tell: when a file was touched must not change the archive.
_TIME = (1980, 1, 1, 0, 0, 0)
_SKIPPED = {"__pycache__", "__MACOSX"}


def collect(extra: str | Iterable[str | os.PathLike[str]] | None) -> dict[str, Path]:
    """Extra files by their names in an archive: files, folders (what is in them), patterns (``*``, ``?``, ``[]``).

    Args:
        extra: a list, or names with commas between them.

    Raises:
        FileNotFoundError: nothing is there. ValueError: two files would have one name.
    """
    said = [part.strip() for part in extra.split(",")] if isinstance(extra, str) else list(extra or ())
    found: dict[str, Path] = {}
    for item in filter(None, said):
        paths = [Path(item)] if os.path.exists(item) else [Path(match) for match in sorted(glob.glob(str(item)))]
        if not paths:
            raise FileNotFoundError(f"there is no file {str(item)!r} in {Path.cwd()}")
        for path in paths:
            for name, file in _below(path):
                if name in found and found[name].resolve() != file.resolve():
                    raise ValueError(f"{found[name]} and {file} would both be {name!r} in the archive; rename one")
                found[name] = file
    return found


def _below(path: Path) -> Iterable[tuple[str, Path]]:
    if path.is_file():
        return [(path.name, path)]
    files = (file for file in sorted(path.rglob("*")) if file.is_file())
    seen = ((file.relative_to(path), file) for file in files)
    return [(name.as_posix(), file) for name, file in seen if not _hidden(name)]


def _hidden(name: Path) -> bool:
    return any(part in _SKIPPED or part.startswith(".") for part in name.parts[:-1])


def write(
    target: Path, files: Files, manifest: tuple[str, str], *, form: Format = "default", force: bool = False
) -> Path:
    """Write an archive; it is there when it is whole.

    Args:
        manifest: where it goes in the archive, and its text.
        force: replace what is there.

    Raises:
        FileExistsError: there is one.
    """
    if os.path.lexists(target) and not force:
        raise FileExistsError(f"{target} already exists; replace it with force=True (-f, --force)")
    if not target.parent.is_dir():
        raise NotADirectoryError(f"{target.parent} is not a folder")
    if manifest[0] in files:
        raise ValueError(f"{manifest[0]} is written by the archiver; leave it out of the files")
    place = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        made = place / "archive"
        whole: dict[str, str | os.PathLike[str] | bytes] = {**files, manifest[0]: manifest[1].encode()}
        if form == "no-archive":
            _folder(made, whole)
        elif form == "tgz":
            _tar(made, whole, target.name.removesuffix(SUFFIXES["tgz"]))
        else:
            _zip(made, whole, zipfile.ZIP_STORED if form == "zip-store" else zipfile.ZIP_DEFLATED)
        if target.is_dir() and not target.is_symlink():
            if not (target / MAR).is_file():
                raise FileExistsError(f"{target} is a folder that holds no model; remove it yourself")
            shutil.rmtree(target)
        os.replace(made, target)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return target


def _zip(path: Path, files: Files, compression: int) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _TIME)
            info.compress_type = compression
            info.external_attr = 0o100644 << 16
            source = files[name]
            if isinstance(source, bytes):
                archive.writestr(info, source)
                continue
            info.file_size = os.path.getsize(source)  # tells zipfile whether it needs the form for large files
            with open(source, "rb") as data, archive.open(info, "w") as out:
                shutil.copyfileobj(data, out, 1 << 20)


def _tar(path: Path, files: Files, name: str) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for inner in sorted(files):
            info = tarfile.TarInfo(f"{name}/{inner}")
            info.mode = 0o644
            source = files[inner]
            size = len(source) if isinstance(source, bytes) else os.path.getsize(source)
            info.size = size
            opened = contextlib.nullcontext(BytesIO(source)) if isinstance(source, bytes) else open(source, "rb")  # noqa: SIM115
            with opened as data:
                archive.addfile(info, data)


def _folder(path: Path, files: Files) -> None:
    for name in sorted(files):
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        source = files[name]
        if isinstance(source, bytes):
            target.write_bytes(source)
        else:
            shutil.copyfile(source, target)


@contextlib.contextmanager
def scratch() -> Generator[Path]:
    """A folder that goes again."""
    with tempfile.TemporaryDirectory(prefix="operator-lib-archive-") as folder:
        yield Path(folder)
