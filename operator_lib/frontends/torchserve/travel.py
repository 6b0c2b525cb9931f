"""What travels with a deployed workflow: its requirements. The files of its archives travel in the operators."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

from operator_lib.frontends.torchserve.bundle import Bundle
from operator_lib.project import Project

_folders: WeakKeyDictionary[Any, Bundle] = WeakKeyDictionary()


def project(owner: Any, models: Iterable[tuple[Iterable[str], Bundle]]) -> Project:
    """A folder with nothing but these requirements, for as long as `owner` is there.

    Nothing of the current folder is taken along; packages that an archive brings, and names in its requirements, are.
    """
    files: dict[str, Any] = {}
    lines: dict[str, None] = {}
    for number, (requirements, bundle) in enumerate(models):
        names = bundle.names
        for line in map(str.strip, requirements):
            name = line.removeprefix("./")
            if name in names:
                files[f"packages/{number}/{name}"] = bundle.folder / name
                line = f"./packages/{number}/{name}"
            if line:
                lines[line] = None
    if lines:
        files["requirements.txt"] = "".join(f"{line}\n" for line in lines).encode()
    folder = _folders[owner] = Bundle.of(files)
    return Project(folder.folder.resolve(), "__main__", None, True)
