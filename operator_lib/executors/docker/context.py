"""What a build reads: a tar file of the uploaded files that are asked for, and of our own."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from operator_lib.executors.docker.recipe import OURS, Recipe
from operator_lib.options import dockerfile

DOCKERFILE = f"{OURS}/Dockerfile"


def write(file: IO[bytes], recipe: Recipe, source: Path, text: str, build: Mapping[str, bytes]) -> None:
    """Write it; everything in it can be read by all, whatever the modes of the uploaded files, and is as old as Unix.

    Args:
        text: of the Dockerfile.
        build: files that only the build needs, by name.
    """
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        ours = {
            DOCKERFILE: text.encode(),
            **{f"{OURS}/requirements/{name}": said.encode() for name, said in recipe.lists().items()},
            f"{OURS}/wheel/{recipe.wheel[0]}": recipe.wheel[1],
            **{f"{OURS}/build/{name}": content for name, content in build.items()},
        }
        for name, content in ours.items():
            _add(archive, name, content)
        for step in recipe.image.steps:
            if step.kind in ("copy", "add"):
                _add_files(archive, source, step.words[0], "")
        for named in recipe.sources:
            _add_files(archive, source, named, f"{OURS}/source/")


def _add_files(archive: tarfile.TarFile, source: Path, named: str, below: str) -> None:
    for path, kind, target in dockerfile.files(source, named):
        if kind == "d":
            entry = tarfile.TarInfo(below + path)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        elif kind == "link":
            entry = tarfile.TarInfo(below + path)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
        else:
            _add(archive, below + path, (source / path).read_bytes(), 0o755 if kind == "x" else 0o644)


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))
