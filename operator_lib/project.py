"""Where a piece of the user's code lives: the folder that travels, and its module's name."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any


@dataclass(frozen=True, slots=True)
class Project:
    """A folder of the user's and the module in it that defines something."""

    root: Path
    """What is uploaded, and what is put on ``sys.path`` on the worker."""
    module: str
    """Name under which the code is imported; ``"__main__"`` when it is the script or a notebook."""
    file: Path | None
    """The defining file; None in a notebook or a REPL."""
    interactive: bool
    """Defined in a notebook cell, a REPL or by ``exec``: there is no file."""

    def relative(self, file: str) -> str:
        """`file` as seen from the root (POSIX), or unchanged when it lies elsewhere."""
        try:
            return Path(file).resolve().relative_to(self.root).as_posix()
        except (ValueError, OSError):
            return file


def stands_for(target: Any) -> Any:
    """What `target` was made of, when that is the user's and the class is ours: a function, the start of a graph."""
    wrapped = getattr(target, "__dict__", {}).get("__wrapped__")
    if wrapped is not None or isinstance(target, type):
        return wrapped
    start = getattr(type(target), "_operator_start", None)
    return start(target) if start is not None else None


def defining(target: Any) -> Any:
    """The function or class whose source defines `target` (an operator, a class, a function, a partial)."""
    while True:
        wrapped = stands_for(target)
        if wrapped is not None:
            target = wrapped
        elif hasattr(target, "func") and hasattr(target, "keywords"):  # functools.partial
            target = target.func
        else:
            break
    return target if inspect.isclass(target) or inspect.isroutine(target) else type(target)


def locate(target: Any) -> Project:
    """The `Project` of an operator, a class or a function."""
    return locate_module(getattr(defining(target), "__module__", None) or "__main__")


def locate_module(name: str) -> Project:
    """The `Project` of an imported module."""
    module = sys.modules.get(name)
    file = source_file(module)
    if file is None:
        return Project(Path.cwd().resolve(), name, None, True)
    return Project(_root(module, name, file), name, file, False)


def source_file(module: ModuleType | None) -> Path | None:
    """The module's Python file, or None when it has none (a notebook, a REPL, a C extension)."""
    found = getattr(module, "__file__", None)
    if not found:
        return None
    path = Path(found)
    return path.resolve() if path.suffix in (".py", ".pyw", "") and path.is_file() else None


def _root(module: ModuleType | None, name: str, file: Path) -> Path:
    spec = getattr(module, "__spec__", None)
    dotted = spec.name if name == "__main__" and spec is not None else name
    if name != "__main__" or spec is not None:
        parts = dotted.split(".")
        if file.stem == "__init__":
            parts.append("__init__")
        expected = Path(*parts).with_suffix(file.suffix)
        if Path(*file.parts[-len(parts) :]) == expected:
            return file.parents[len(parts) - 1]
    folder = file.parent
    while (folder / "__init__.py").is_file() and folder.parent != folder:
        folder = folder.parent
    return folder
