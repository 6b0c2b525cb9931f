"""``requirements.txt``: read with what it names, made independent of where it lay, and hashed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from operator_lib.errors import DeployError

FILE = "requirements.txt"
_CONTENT = "# content "
_ARCHIVE = (".whl", ".tar.gz", ".tgz", ".zip", ".tar.bz2")
_OPTION_WITH_FILE = re.compile(r"(-r|--requirement|-c|--constraint)(?:\s*=\s*|\s+|(?<=-[rc]))(\S.*)")
_FIND_LINKS = re.compile(r"(?:-f|--find-links)(?:\s*=\s*|\s+)(\S.*)")
_EDITABLE = re.compile(r"(-e|--editable)\b")
_DIRECT = re.compile(r"^[A-Za-z0-9][\w.\-]*(?:\[[^\]]*\])?\s*@\s*(\S+)")


def read(root: Path) -> str:
    """The requirements of the folder in one text, ``""`` without any: files named by ``-r`` are written out
    in place, and for what else is named (``-c``, local packages) a comment carries the hash of its content.

    Raises `DeployError`: an editable install, a file that is missing or lies outside the folder.
    """
    root = root.resolve()
    if not (root / FILE).is_file():
        return ""
    return _joined(_read(root, root / FILE, []))


def of_lines(root: Path, file: Path, lines: Sequence[str]) -> str:
    """`read` for requirements that stand in another `file` of the folder; local paths are found from the folder."""
    name = file.relative_to(root).as_posix()
    return _joined(part for line in lines for part in _with_content(root, file, line, f"{name}: {line}", False))


def _joined(lines: Iterable[str]) -> str:
    found = list(lines)
    return "\n".join(found) + "\n" if any(not line.startswith("#") for line in found) else ""


def environment_key(text: str, python_minor: str) -> str:
    """The name of the environment: the same for the same requirements in any order, without comments and
    blanks.
    """
    options: list[str] = []
    packages: list[str] = []
    for line in _logical(text):
        (options if line.startswith("-") else packages).append(" ".join(line.split()))
    # of the options the order may matter (which index is asked first), of packages it does not
    spelled = json.dumps([python_minor, options, sorted(set(packages))])
    return hashlib.sha256(spelled.encode()).hexdigest()[:24]


def is_empty(text: str) -> bool:
    """Whether nothing has to be installed."""
    return not any(not line.startswith(("-", "#")) for line in _logical(text))


def anchored(text: str, source_root: Path) -> str:
    """The same requirements with local paths made absolute, to be installed from anywhere."""
    out: list[str] = []
    for line in _logical(text):
        path = None if line.startswith("#") else _path_in(line)
        if path is not None:
            line = line.replace(path, str(_place(source_root.resolve(), path, line)))
        out.append(line)
    return "\n".join(out) + "\n"


def _read(root: Path, file: Path, above: list[Path]) -> Iterator[str]:
    if file in above:
        return
    for line in _logical(_text(file)):
        if line.startswith("#"):
            continue
        where = f"{file.relative_to(root).as_posix()}: {line}"
        if _EDITABLE.match(line):
            raise DeployError(
                f"{where}: an editable install does not travel; name the folder itself (./package), "
                "or leave it out if it is in the project, which can be imported anyway"
            )
        option = _OPTION_WITH_FILE.fullmatch(line)
        if option and option[1] in ("-r", "--requirement"):
            yield from _read(root, _place(root, _unquoted(option[2]), where, file.parent), [*above, file])
            continue
        yield from _with_content(root, file, line, where, bool(option))


def _with_content(root: Path, file: Path, line: str, where: str, is_option: bool) -> Iterator[str]:
    path = _path_in(line)
    if path is None:
        yield line
        return
    # files named by an option are found from the file that names them, packages from the root (where uv runs)
    place = _place(root, path, where, file.parent if is_option else root)
    relative = place.relative_to(root).as_posix()
    yield line.replace(path, relative if is_option else f"./{relative}")
    yield f"{_CONTENT}{relative} {_content(place)}"


def _path_in(line: str) -> str | None:
    """The local path that a line names, if it does."""
    option = _OPTION_WITH_FILE.fullmatch(line)
    links = _FIND_LINKS.fullmatch(line)
    if option or links:
        named = _unquoted(option[2] if option else links[1] if links else "")
        return None if "://" in named else named
    if line.startswith("-"):
        return None
    direct = _DIRECT.match(line)
    named = direct[1] if direct else re.split(r"\s+[;@#]|\s+--|;", line)[0].strip()
    if named.startswith("file:"):
        return named
    if "://" in named:
        return None
    plain = re.sub(r"\[[^\]/]*\]$", "", named)
    is_path = plain.startswith((".", "/", "~", "file:")) or plain.endswith(_ARCHIVE) or (bool(direct) and "/" in plain)
    return plain if is_path or (not direct and os.sep in plain) else None


def _place(root: Path, named: str, where: str, base: Path | None = None) -> Path:
    path = re.sub(r"^file:(//)?", "", named)
    place = ((base or root) / path).resolve()
    if not place.is_relative_to(root):
        raise DeployError(
            f"{where}: {named} lies outside {root}; put it into the folder and name it by a relative path"
        )
    if not place.exists():
        raise DeployError(f"{where}: {named} does not exist (looked for {place})")
    return place


def _content(place: Path) -> str:
    digest = hashlib.sha256()
    files = sorted(p for p in place.rglob("*") if p.is_file()) if place.is_dir() else [place]
    for file in files:
        relative = file.relative_to(place).as_posix()
        if "__pycache__" not in relative and ".egg-info" not in relative:
            digest.update(relative.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _logical(text: str) -> Iterator[str]:
    """Lines without comments (but those that carry a hash), joined where they end in a backslash."""
    joined = ""
    for raw in text.splitlines():
        line = raw if raw.startswith(_CONTENT) else re.sub(r"(^|\s)#.*$", "", raw)
        if line.rstrip().endswith("\\"):
            joined += line.rstrip()[:-1] + " "
            continue
        line, joined = (joined + line).strip(), ""
        if line:
            yield line
    if joined.strip():
        yield joined.strip()


def _unquoted(text: str) -> str:
    return " ".join(shlex.split(text)) if text.startswith(("'", '"')) else text.strip()


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DeployError(f"{file} cannot be read: {error}") from error
