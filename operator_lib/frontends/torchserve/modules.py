"""The Python files of one archive as modules that nothing else in the process sees.

Two archives may both have a ``handler.py`` and a ``model.py``. While code of an archive is loaded, the names of its
files lead to its own modules, for that thread's imports and in ``sys.modules``; afterwards they are put aside.
Functions that import one of them later do so through the ``__import__`` that their module was given.
"""

from __future__ import annotations

import builtins
import importlib
import sys
import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder, ModuleSpec, SourceFileLoader
from importlib.machinery import SOURCE_SUFFIXES as SOURCES
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle

# One archive at a time: `sys.modules` is everybody's.
_LOADING = threading.RLock()


class Modules:
    """Modules found in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names = _names(folder)
        self._made: dict[str, ModuleType] = {}
        self._depth = 0
        self._thread = 0
        self._builtins = {**vars(builtins), "__import__": self._import}

    def load(self, name: str) -> ModuleType:
        """The module of that name. Raises what its code raises."""
        with self.active():
            return importlib.import_module(name)

    @contextmanager
    def active(self) -> Generator[None]:
        """The names of the files lead to these modules meanwhile."""
        with _LOADING:
            if self._depth:
                yield
                return
            aside = {name: sys.modules.pop(name) for name in list(sys.modules) if self._ours(name)}
            sys.modules.update(self._made)
            self._depth, self._thread = 1, threading.get_ident()
            sys.meta_path.insert(0, self)  # type: ignore[arg-type]  # a finder, as far as `find_spec` goes
            try:
                yield
            finally:
                sys.meta_path.remove(self)  # type: ignore[arg-type]
                self._depth = 0
                self._made = {name: sys.modules.pop(name) for name in list(sys.modules) if self._ours(name)}
                sys.modules.update(aside)

    def _ours(self, name: str) -> bool:
        return name.partition(".")[0] in self.names

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """For the import system."""
        if not self._ours(name) or threading.get_ident() != self._thread:
            return None
        for place in path if path is not None else [str(self.folder)]:
            finder = FileFinder(place, (self._loader, SOURCES), (ExtensionFileLoader, EXTENSION_SUFFIXES))  # type: ignore[arg-type]
            spec = finder.find_spec(name)
            if spec is not None:
                return spec
        return None

    def _loader(self, name: str, path: str) -> SourceFileLoader:
        return _Loader(name, path, self._builtins)

    def _import(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """``__import__`` of code in the folder."""
        level = args[3] if len(args) > 3 else kwargs.get("level", 0)
        if level or self._ours(name):
            with self.active():
                return builtins.__import__(name, *args, **kwargs)
        return builtins.__import__(name, *args, **kwargs)


class Alone:
    """Modules found in a folder, in a process that has no others of these names."""

    def __init__(self, folder: Path) -> None:
        self.names = _names(folder)
        for name in [name for name in sys.modules if name.partition(".")[0] in self.names]:
            del sys.modules[name]
        sys.path.insert(0, str(folder))
        sys.dont_write_bytecode = True  # the folder holds nothing but its files

    def active(self) -> AbstractContextManager[object]:
        return nullcontext()

    def by_value(self) -> None:
        """What is made of their classes can be read in other processes, which do not have these modules."""
        for name in self.names & sys.modules.keys():
            cloudpickle.register_pickle_by_value(sys.modules[name])


def _names(folder: Path) -> set[str]:
    """Packages are folders with Python files; of data folders nothing is imported."""
    return {
        entry.name.partition(".")[0]
        for entry in folder.iterdir()
        if entry.suffix in (".py", ".so") or (entry.is_dir() and any(entry.glob("*.py")))
    }


class _Loader(SourceFileLoader):
    """Gives modules the builtins of their folder. Leaves no byte code there."""

    def __init__(self, name: str, path: str, given: dict[str, Any]) -> None:
        super().__init__(name, path)
        self._given = given

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = self._given
        super().exec_module(module)

    def _cache_bytecode(self, *_: Any) -> None:
        """The folder travels with its operator, and holds nothing but its files."""
