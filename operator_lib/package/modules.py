"""Which modules a pickle may refer to, and what they are called on the worker."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from collections.abc import Iterable
from functools import cache
from types import ModuleType

from operator_lib.package.walk import inside
from operator_lib.project import Project


class Modules:
    """The modules of one project as the worker will see them. `outside` fills with those it cannot find (name
    and the file or folder to take along), `used` with the files of the project that were asked for, `paths`
    with the folders to import from.
    """

    def __init__(self, project: Project, include: Iterable[str] = ()) -> None:
        self.root = os.path.realpath(project.root)
        self.include = [os.path.realpath(path) for path in include]
        self.outside: dict[str, str] = {}
        self.used: dict[str, None] = {}
        self._folders = dict.fromkeys(_import_folders(self.root))
        self._names: dict[str, str] = {}

    @property
    def paths(self) -> list[str]:
        """Folders below the root that belong on ``sys.path`` (POSIX, ``"."`` is the root), in order."""
        return list(dict.fromkeys([*self._folders, "."]))

    def name(self, module: str) -> str:
        """What to import on the worker to get `module`."""
        if module not in self._names:
            self._names[module] = self._find(module)
        return self._names[module]

    def _find(self, name: str) -> str:
        if name == "__main__" or name.partition(".")[0] == "operator_lib":
            return name
        file = module_file(sys.modules.get(name))
        if file is None or installed(file):
            return name
        if inside(file, self.root):
            self.used[os.path.relpath(file, self.root).replace(os.sep, "/")] = None
            return self._fit(name, file)
        if not any(inside(file, path) for path in self.include):
            self.outside[name] = _top(name, file)
        return name

    def _fit(self, name: str, file: str) -> str:
        stem = os.path.join(os.path.dirname(file), os.path.basename(file).partition(".")[0])
        parts = os.path.relpath(stem, self.root).split(os.sep)
        if parts[-1] == "__init__" and len(parts) > 1:
            parts.pop()
        asked = name.split(".")
        if parts[-len(asked) :] == asked:
            taken = len(asked)
        else:  # imported from a folder above the root, or under a made-up name: by the place of its file
            taken = next((n for n, part in enumerate(reversed(parts)) if not part.isidentifier()), len(parts))
        if not taken:
            self.outside[name] = file
            return name
        self._folders["/".join(parts[:-taken]) or "."] = None
        return ".".join(parts[-taken:])


def module_file(module: ModuleType | None) -> str | None:
    """The real path of the file that defines `module`; None for what is built in or has no file."""
    file = getattr(module, "__file__", None)
    return os.path.realpath(file) if isinstance(file, str) and os.path.exists(file) else None


def _top(name: str, file: str) -> str:
    """The outermost package that holds the module, or the file itself."""
    inner = name.count(".") + (os.path.basename(file).startswith("__init__."))
    for _ in range(inner):
        file = os.path.dirname(file)
    return file


def installed(file: str) -> bool:
    """Whether `file` belongs to the interpreter or to an installed package."""
    return any(inside(file, folder) for folder in _installed_folders()) or bool(
        {"site-packages", "dist-packages"} & set(file.split(os.sep))
    )


@cache
def _installed_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    found = [paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")]
    found += site.getsitepackages()
    return tuple({os.path.realpath(path) for path in found})


def _import_folders(root: str) -> Iterable[str]:
    for entry in sys.path:
        real = os.path.realpath(entry)
        if os.path.isdir(real) and inside(real, root) and not installed(real):
            yield os.path.relpath(real, root).replace(os.sep, "/")
