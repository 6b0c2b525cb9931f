"""What a process needs of the worker's files, and how it gets to the node: pieces of files, under the names that they
have in the home.

A node has a home of its own that looks like the worker's. What is named by its content is brought there once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from operator_lib.engine.events import to_line
from operator_lib.engine.journal import Journal
from operator_lib.engine.process import CHECKPOINTS, RESTORED, STATE, ProcessSpec

# The fields of a spec that are places in the home.
PLACES = ("folder", "source", "entry", "events", "input", "shared")


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing to be brought."""

    name: str
    """Where it lies, from the home."""
    path: Path
    """Where it is read; a folder with all that is in it."""
    lasting: bool = False
    """It is named by its content."""
    content: bytes | None = None
    """In the place of what is at `path`."""


def inside(path: str, home: Path) -> str:
    """The name of a path of the worker from its home; what lies elsewhere is told apart by its own path."""
    if not path:
        return ""
    try:
        return Path(path).relative_to(home).as_posix()
    except ValueError:
        return f"elsewhere{path}"


def named(spec: ProcessSpec, home: Path) -> dict[str, Any]:
    """The spec as it travels: with names from the home where it has paths."""
    told = asdict(spec)
    return told | {name: inside(told[name], home) for name in PLACES}


def placed(told: dict[str, Any], home: Path) -> ProcessSpec:
    """The spec of a process in this home."""
    given: dict[str, Any] = told | {name: str(home / told[name]) if told[name] else "" for name in PLACES}
    for name in ("input_codecs", "variables", "required", "groups", "cores", "paths"):
        given[name] = tuple(given[name])
    return ProcessSpec(**given)


def pieces(spec: ProcessSpec, home: Path) -> Iterator[Piece]:
    """All that the process reads. Only while nobody writes to its history."""
    for path in (spec.source, spec.entry):
        yield Piece(inside(path, home), Path(path), lasting=True)
    if spec.input:
        name = inside(spec.input, home)
        yield Piece(name, Path(spec.input), lasting=name.startswith("blobs/"))
    events = Path(spec.events)
    if events.exists():  # of what has been told the last number is enough
        yield Piece(inside(spec.events, home), events, content=_last_line(events))
    if spec.kind == "run":
        for name in (CHECKPOINTS, STATE):
            if (events.parent / name).exists():
                yield Piece(inside(str(events.parent / name), home), events.parent / name)
    if (Path(spec.folder) / RESTORED).exists():
        yield Piece(inside(f"{spec.folder}/{RESTORED}", home), Path(spec.folder) / RESTORED)


def _last_line(path: Path) -> bytes:
    journal = Journal(str(path))
    try:
        return to_line(journal.last) if journal.last else b""
    finally:
        journal.close()


def files(piece: Piece) -> Iterator[tuple[str, Path]]:
    """The files of it, by their names from the home."""
    if not piece.path.is_dir():
        yield piece.name, piece.path
        return
    for folder, folders, found in os.walk(piece.path):
        folders.sort()
        for name in sorted(found):
            path = Path(folder, name)
            yield f"{piece.name}/{path.relative_to(piece.path).as_posix()}", path
