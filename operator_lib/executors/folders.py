"""The private folder of a process, wherever that runs: how it is made, and how parts of it are removed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def furnish(folder: Path, source: Path) -> None:
    """A process's private folder: ``tmp``, and as current directory ``work``, where the version's files can be read.

    The top-level entries are links into the version, so relative paths work; what the process writes beside them is
    its own and goes with it.
    """
    remove([folder / "work"])
    for part in (folder, folder / "work", folder / "tmp"):
        part.mkdir(parents=True, exist_ok=True, mode=0o700)
    for entry in os.scandir(source):
        os.symlink(entry.path, folder / "work" / entry.name)


def remove(targets: list[Path]) -> None:
    """Files, links and folders with all that is in them, as far as they are there."""
    for target in targets:
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target, ignore_errors=True)
        else:
            target.unlink(missing_ok=True)
