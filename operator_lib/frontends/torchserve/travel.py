"""What travels with a deployed workflow: its requirements. The files of its archives travel in the operators."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

from operator_lib.frontends.torchserve.bundle import Bundle
from operator_lib.project import Project

_folders: WeakKeyDictionary[Any, Bundle] = WeakKeyDictionary()


def project(owner: Any, requirements: Iterable[str]) -> Project:
    """A folder with nothing but these requirements, for as long as `owner` is there.

    Nothing of the current folder is taken along.
    """
    lines = dict.fromkeys(line.strip() for line in requirements if line.strip())
    text = "".join(f"{line}\n" for line in lines)
    folder = _folders[owner] = Bundle.of({"requirements.txt": text.encode()} if lines else {})
    return Project(folder.folder.resolve(), "__main__", None, True)
