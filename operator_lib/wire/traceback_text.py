"""Tracebacks as text and as plain rows, in terms of the user's files: frames of operator_lib are left out."""

from __future__ import annotations

import linecache
import os
import re
import traceback
from types import TracebackType

import operator_lib

HERE = os.path.dirname(os.path.abspath(operator_lib.__file__ or "")) + os.sep
_READY_MADE = HERE + "lib" + os.sep

# The user's files as a run sees them: below the worker's home, in a folder named by content.
_SOURCES = re.compile(r".*/sources/[0-9a-f]{64}/")

MAX_FRAMES = 200
MAX_LINE = 500

Row = list[str | int]


def is_ours(filename: str) -> bool:
    """Whether a file belongs to operator_lib, its ready-made operators aside."""
    return filename.startswith(HERE) and not filename.startswith(_READY_MADE)


def innermost_file(tb: TracebackType | None) -> str:
    """The file in which the exception was raised, ``""`` without a traceback."""
    filename = ""
    while tb is not None:
        filename, tb = tb.tb_frame.f_code.co_filename, tb.tb_next
    return filename


def rows(tb: TracebackType | None) -> list[Row]:
    """``[file, line, function, source line]`` of every frame of the user, outermost first."""
    found: list[Row] = []
    while tb is not None:
        code, frame = tb.tb_frame.f_code, tb.tb_frame
        source = linecache.getline(code.co_filename, tb.tb_lineno, frame.f_globals).strip()[:MAX_LINE]
        found.append([_known(code.co_filename), tb.tb_lineno, code.co_qualname, source])
        tb = tb.tb_next
    kept = [row for row in found if not is_ours(str(row[0]))] or found
    if len(kept) > MAX_FRAMES:
        kept = kept[: MAX_FRAMES // 2] + kept[-MAX_FRAMES // 2 :]
    return kept


def _known(filename: str) -> str:
    """A file as its author knows it: in the project."""
    return _SOURCES.sub("", filename)


def text(error: BaseException) -> str:
    """The traceback as Python prints it, with source lines, causes and the members of groups."""
    whole = traceback.TracebackException.from_exception(error)
    _trim(whole, set())
    return "".join(whole.format())


def _trim(part: traceback.TracebackException, seen: set[int]) -> None:
    if id(part) in seen:
        return
    seen.add(id(part))
    kept = [frame for frame in part.stack if not is_ours(frame.filename)]
    for frame in kept:
        frame.filename = _known(frame.filename)
    if kept:
        part.stack[:] = kept
    for inner in (part.__cause__, part.__context__, *(part.exceptions or ())):
        if inner is not None:
            _trim(inner, seen)
