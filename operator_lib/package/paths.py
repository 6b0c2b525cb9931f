"""Which relative paths may travel. One validator, used before sending and again on the receiving side."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from operator_lib.errors import DeployError

MAX_PART = 255
MAX_PATH = 1_024
MAX_DEPTH = 32

_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\..*)?", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DRIVE = re.compile(r"[A-Za-z]:")


def check_path(path: str) -> None:
    """Refuse what is not a plain path below a folder: relative, ``/`` between parts, the same file
    everywhere.

    Raises `DeployError` with the path and the reason.
    """
    reason = _reason(path)
    if reason:
        raise DeployError(f"{path[:200]!r} cannot be uploaded: {reason}; rename it or add it to .nboxignore")


def check_manifest(paths: Iterable[str]) -> None:
    """`check_path` for each, and no two that would be one file on some other disk (case, Unicode form, file
    below file).

    Raises `DeployError` naming both.
    """
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for path in paths:
        check_path(path)
        key = _key(path)
        if key in files:
            _clash(files[key], path)
        files[key] = path
        folder, shared = path, key
        while "/" in folder:
            folder, shared = folder.rpartition("/")[0], shared.rpartition("/")[0]
            seen = folders.setdefault(shared, folder)
            if seen != folder:
                _clash(seen, folder)
    for shared in files.keys() & folders.keys():
        _clash(files[shared], folders[shared] + "/")


def _clash(one: str, other: str) -> None:
    if one == other:
        raise DeployError(f"{one!r} is in the upload twice")
    raise DeployError(
        f"{one!r} and {other!r} would be the same file on some systems; rename one of them or add it to .nboxignore"
    )


def _key(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _reason(path: str) -> str:
    try:
        size = len(path.encode("utf-8"))
    except UnicodeEncodeError:
        return "its name is not valid UTF-8"
    if not path:
        return "the path is empty"
    if path.startswith("/") or _DRIVE.match(path):
        return "the path is not relative"
    if "\\" in path:
        return "it contains a backslash"
    if _CONTROL.search(path):
        return "it contains a control character"
    if size > MAX_PATH:
        return f"the path has {size:,} bytes, more than {MAX_PATH:,}"
    parts = path.split("/")
    if len(parts) > MAX_DEPTH:
        return f"it lies {len(parts)} levels deep, more than {MAX_DEPTH}"
    for part in parts:
        if part in ("", ".", ".."):
            return f"it contains the part {part!r}"
        if len(part.encode()) > MAX_PART:
            return f"a part of it has more than {MAX_PART} bytes"
        if _RESERVED.fullmatch(part):
            return f"{part!r} is reserved on Windows"
    return ""
