"""What is known from outside the function that is read: root folder, paths of the tree, files, what was looked at."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from operator_lib.trace.frame import Heap
from operator_lib.trace.source import SourceFile, Stamp, is_project_file, load, shown, stamp
from operator_lib.trace.values import Instance, Place, Thing, Value


class World:
    """One reading. `witnesses` and `files` say what its result depends on, so that it can be reused later."""

    def __init__(self, root: str, paths: dict[int, str] | None = None, packages: frozenset[str] = frozenset()) -> None:
        self.root = os.path.realpath(root) if root else ""
        self.paths = paths or {}
        self.packages = packages
        # (namespace, name, value, class that defines it) of every global and class attribute that was looked up.
        self.witnesses: list[tuple[Any, str, Any]] = []
        self.files: dict[str, Stamp] = {}
        self.things: dict[int, tuple[Any, Thing | None]] = {}
        self.owned: dict[int, tuple[Any, Thing | None]] = {}
        # Attributes of objects made at the top level of modules that are only read.
        self.heap: Heap = {}
        # Modules and classes that are only read: by dotted name, by file, by statement.
        self.modules: dict[str, Any] = {}
        self.static_files: dict[str, Any] = {}
        self.classes: dict[Any, Any] = {}
        # Which objects hold which, both ways, and which have changed or hold one that has.
        self.inside: dict[Place, set[Place]] = {}
        self.holders: dict[Place, set[Place]] = {}
        self.tainted: set[Place] = set()
        self.evaluate: Callable[[Any, Any], Value] = lambda expression, module: Value()
        self.decorate: Callable[[Any, Any, Any], Any] = lambda function, decorators, module: function
        self.read_body: Callable[[Any], None] = lambda scope: None
        self.project: dict[str, bool] = {}
        self._shown: dict[str, str] = {}

    def let_go(self) -> None:
        """Nothing more is asked but `witnesses` and `files`."""
        kept = self.witnesses, self.files
        self.__dict__.clear()
        self.witnesses, self.files = kept

    def source(self, filename: str) -> SourceFile | None:
        """The parsed file; remembered as something the result depends on."""
        if filename not in self.files:
            self.files[filename] = stamp(filename)
        return load(filename)

    def reads(self, module: str | None) -> bool:
        """Whether a module belongs to a package that defines operators of the tree."""
        return module is not None and any(module == p or module.startswith(f"{p}.") for p in self.packages)

    def in_project(self, filename: str) -> bool:
        """Whether the file is the user's own."""
        found = self.project.get(filename)
        if found is None:
            found = self.project[filename] = is_project_file(filename, self.root)
        return found

    def shown(self, filename: str) -> str:
        """The file's name in nodes."""
        name = self._shown.get(filename)
        if name is None:
            name = self._shown[filename] = shown(filename, self.root)
        return name

    def adopt(self, instance: Instance, path: str, heap: dict[tuple[int, str], Value]) -> None:
        """Give paths to the operators that a constructor has made, as `tree.named_operators` would."""
        from operator_lib.trace.resolve import now, parts

        if instance.path is not None and instance.path != path:
            return
        instance.path = path
        mine = {k: v for known in (self.heap, heap) for k, v in known.items() if k[0] == instance.identity}
        for (_, name), value in mine.items():
            for suffix, child in parts(now(value, heap).what):
                if child.path is None and child.operator:
                    dotted = f"{name}{suffix}".removeprefix("<graph>.")  # by the names of its functions
                    self.adopt(child, f"{path}.{dotted}" if path else dotted, heap)
