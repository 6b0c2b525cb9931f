"""What travels from a folder: its files by content."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from operator_lib.errors import DeployError
from operator_lib.package.hashes import HashCache
from operator_lib.package.ignore import Ignore
from operator_lib.package.materialise import clean_partials as clean_partials
from operator_lib.package.materialise import materialise as materialise
from operator_lib.package.paths import check_manifest as check_manifest
from operator_lib.package.paths import check_path as check_path
from operator_lib.package.sizes import human, largest, refusal
from operator_lib.package.walk import Found, Walk, inside, walk

MAX_UPLOAD = 500_000_000
"""Bytes that a folder may have without being asked."""
MAX_FILES = 20_000

Include = str | os.PathLike[str] | tuple[str | os.PathLike[str], str]
"""A file or a folder to take along: under its own name, or as (source, path below the root)."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file: `path` below the root with ``/``, `sha256` in hex, `size` in bytes, and where it is read
    from.
    """

    path: str
    sha256: str
    size: int
    executable: bool
    source: Path = field(compare=False)
    mtime_ns: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of a folder, sorted by path; `warnings` in words."""

    root: Path
    files: tuple[FileEntry, ...]
    warnings: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.files)


def scan(
    root: str | os.PathLike[str],
    *,
    ignore_patterns: Sequence[str] = (),
    include: Sequence[Include] = (),
    max_upload: int = MAX_UPLOAD,
    max_files: int = MAX_FILES,
) -> Manifest:
    """The manifest of `root`; nothing is written there. `max_upload` is in bytes; what `include` names is not
    counted.

    Raises `DeployError`: too large (with the five largest paths), links that lead outside or nowhere,
    unreadable files, names that cannot exist elsewhere.
    """
    place = Path(root).resolve()
    if not place.is_dir():
        raise DeployError(f"{place} is not a folder")
    # the walk goes past the limit so that the refusal can show where the many files are, but not on for ever
    walked = walk(place, list(ignore_patterns), limit=max(10 * max_files, max_files + 1))
    warnings = [*walked.warnings]
    extra = _included(place, include, warnings)
    _refuse_bad_links(walked.bad_links)
    found = [f for f in walked.files if f.path not in extra]
    _check_size(place, found, walked.cut, max_upload, max_files)
    found = sorted([*found, *extra.values()], key=lambda f: f.path)
    check_manifest(f.path for f in found)
    if left := [path for path in walked.credentials if path not in extra]:
        warnings.append(
            f"left out, because they look like credentials: {_some(left)}; a ! pattern in .nboxignore sends them"
        )
    return Manifest(place, _hashed(place, found), tuple(warnings))


def verify(entry: FileEntry) -> bool:
    """Whether the file still is what was hashed, as far as size and time tell."""
    try:
        state = os.stat(entry.source)
    except OSError:
        return False
    return (state.st_size, state.st_mtime_ns) == (entry.size, entry.mtime_ns)


def _hashed(root: Path, found: Iterable[Found]) -> tuple[FileEntry, ...]:
    cache = HashCache(str(root))
    entries: list[FileEntry] = []
    for file in found:
        digest, state = cache.sha256(file.source, file.state)
        executable = bool(state.st_mode & 0o100)
        entries.append(FileEntry(file.path, digest, state.st_size, executable, Path(file.source), state.st_mtime_ns))
    cache.save()
    return tuple(entries)


def _check_size(root: Path, found: list[Found], cut: bool, max_upload: int, max_files: int) -> None:
    total = sum(f.state.st_size for f in found)
    if total > max_upload:
        heavy = largest((f.path, f.state.st_size) for f in found)
        raise DeployError(refusal(f"{root} has {human(total)}, more than {human(max_upload)}", heavy, human))
    if len(found) > max_files:
        heavy = largest((f.path, 1) for f in found)
        many = "more than " if cut else ""
        what = f"{root} has {many}{len(found):,} files, more than {max_files:,}"
        raise DeployError(refusal(what, heavy, lambda n: f"{n:,} files"))


def _included(root: Path, include: Sequence[Include], warnings: list[str]) -> dict[str, Found]:
    extra: dict[str, Found] = {}
    for item in include:
        source, target = _ends(root, item)
        if source.is_dir():
            below = Walk(str(source), limit=1 << 62)
            below.folder(str(source), "", Ignore.of(), (str(source),))
            _refuse_bad_links(below.bad_links)
            warnings.extend(below.warnings)
            prefix = f"{target}/" if target else ""
            files = [Found(prefix + f.path, f.source, f.state) for f in below.files]
        elif source.is_file():
            files = [Found(target, str(source), source.stat())]
        else:
            raise DeployError(f"include: {source} is neither a file nor a folder")
        for file in files:
            known = extra.setdefault(file.path, file)
            if known.source != file.source:
                raise DeployError(
                    f"include: {known.source} and {file.source} would both become {file.path}; "
                    "give one of them as (source, path)"
                )
    return extra


def _ends(root: Path, item: Include) -> tuple[Path, str]:
    given, target = item if isinstance(item, tuple) else (item, None)
    source = (root / Path(given).expanduser()).resolve()
    if target is None:
        within = inside(str(source), str(root))
        target = source.relative_to(root).as_posix() if within else source.name
    return source, target.strip("/") if target not in (".", "./") else ""


def _refuse_bad_links(bad: list[str]) -> None:
    if bad:
        rows = "\n  ".join(bad[:20]) + (f"\n  and {len(bad) - 20} more" if len(bad) > 20 else "")
        raise DeployError(
            f"links that cannot be uploaded:\n  {rows}\n"
            "Add them to .nboxignore, or name what they point to in include=(source, path)."
        )


def _some(paths: list[str]) -> str:
    return ", ".join(paths[:5]) + (f" and {len(paths) - 5} more" if len(paths) > 5 else "")
