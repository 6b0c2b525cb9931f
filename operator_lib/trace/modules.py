"""Modules that are only read: what their names denote once the top level has run, found without running it."""

from __future__ import annotations

import ast
import builtins
import importlib
import os
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from operator_lib.trace.live import what_is
from operator_lib.trace.resolve import now
from operator_lib.trace.source import SourceFile
from operator_lib.trace.static import StaticClass
from operator_lib.trace.values import Class, Const, External, Function, Module, Thing, Unknown, maybe_rebound
from operator_lib.trace.world import World

_OURS = ("Sequential", "OperatorList", "OperatorDict", "Graph")
_TENSORLAKE = "operator_lib.frontends.tensorlake"
_OPERATOR_DECORATORS = ("operator", "tensorlake_function", "function", "Operator.fn", "Model")
_MARKERS = ("pyproject.toml", "setup.py", "setup.cfg", ".git")
_MISSING = object()

_ASSIGNMENTS = (ast.Assign, ast.AnnAssign, *((alias,) if (alias := getattr(ast, "TypeAlias", None)) else ()))

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Scope:
    """The names of the body of a module or of a class.

    A name bound once is looked up where it is bound. Names that the body changes, binds twice or binds on a condition
    are known after reading the body in order.
    """

    def __init__(
        self,
        body: list[ast.stmt],
        file: SourceFile,
        name: str,
        world: World,
        outer: Callable[[str], Thing | None],
    ) -> None:
        self.file = file
        self.name = name
        self.world = world
        self.outer = outer
        self.body = body
        # The frame in which the body is being read, or was.
        self.frame: Any = None
        self.things: dict[str, Thing | None] = {}

    @cached_property
    def bindings(self) -> dict[str, list[ast.stmt]]:
        """The statements that bind each name."""
        found: dict[str, list[ast.stmt]] = {}
        for statement in _flat(self.body):
            for name in _names(statement):
                found.setdefault(name, []).append(statement)
        return found

    @cached_property
    def stars(self) -> list[ast.ImportFrom]:
        """``from module import *``."""
        return [s for s in _flat(self.body) if isinstance(s, ast.ImportFrom) and s.names[0].name == "*"]

    @cached_property
    def restless(self) -> list[ast.stmt]:
        """The statements for which the body has to be read in order."""
        return [s for s in self.body if self._restless(s)]

    def _restless(self, statement: ast.stmt) -> bool:
        """Whether the statement does more than bind a new name."""
        if isinstance(statement, (*DEFINITIONS, ast.Import, ast.ImportFrom)):
            return any(len(self.bindings[n]) > 1 for n in _names(statement)) and not _is_overload(statement)
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            plain = all(isinstance(t, ast.Name) for t in _targets(statement))
            return not plain or any(len(self.bindings[n]) > 1 for n in _names(statement))
        return not isinstance(statement, ast.Pass | ast.Global) and not (
            isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        )

    def lookup(self, name: str) -> Thing | None:
        """What a name denotes here or in the scope around."""
        found = self.things.get(name, _MISSING)
        if found is not _MISSING:
            return found  # type: ignore[return-value]
        if self.frame is None and self.restless:
            self.world.read_body(self)
        if self.frame is not None and name in self.frame.env.names:
            what = now(self.frame.env.names[name], self.frame.env.heap).what
            return self._shared(name, what)
        if name not in self.bindings:
            return self._starred(name)
        self.things[name] = None  # a name defined by itself ends here
        self.things[name] = found = self._shared(name, self.bound(name, self.bindings[name][-1]))
        return found

    def _shared(self, name: str, what: Thing | None) -> Thing | None:
        return what

    def _starred(self, name: str) -> Thing | None:
        for statement in reversed(self.stars):
            module = imported(absolute(statement, self), self.world, self)
            if isinstance(module, Module) and (found := exported(module, name)) is not None:
                return found
        found = self.outer(name)
        if found is None and self.stars and not name.startswith("_"):
            return External(name)
        return found

    def bound(self, name: str, statement: ast.stmt) -> Thing | None:
        """What one statement makes of a name."""
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            made = Function(statement, self.file, name, self.lookup)
            made.computed = lambda expression: self.world.evaluate(expression, self).what
            return self.world.decorate(made, statement.decorator_list, self)
        if isinstance(statement, ast.ClassDef):
            return self.class_of(statement)
        if isinstance(statement, ast.Import):
            alias = next(a for a in statement.names if (a.asname or a.name.split(".")[0]) == name)
            return imported(alias.name if alias.asname else name, self.world, self)
        if isinstance(statement, ast.ImportFrom):
            alias = next(a for a in statement.names if (a.asname or a.name) == name)
            return self._from(statement, alias.name)
        value = getattr(statement, "value", None)
        return self.world.evaluate(value, self).what if isinstance(statement, _ASSIGNMENTS) and value else None

    def class_of(self, statement: ast.ClassDef) -> Thing:
        """The class of a statement: the same one however often it is asked for."""
        known = self.world.classes.get(statement)
        if known is None:
            known = self.world.classes[statement] = StaticClass(statement, self)
        return known

    def _from(self, statement: ast.ImportFrom, name: str) -> Thing | None:
        dotted = absolute(statement, self)
        if name == "TYPE_CHECKING":
            return Const(False)
        if dotted == "operator_lib" or dotted.startswith("operator_lib."):
            return ours(dotted, name, self.world)
        outer = imported(dotted, self.world, self)
        if isinstance(outer, Module) and dotted != self.name:
            return outer.lookup(name)
        inner = imported(f"{dotted}.{name}" if dotted else name, self.world, self)
        return inner if isinstance(inner, Module) else External(f"{dotted}.{name}")


class StaticModule(Scope):
    """A module of which only the text is known."""

    def __init__(self, file: SourceFile, name: str, world: World) -> None:
        super().__init__(file.tree.body, file, name, world, _builtin)
        self.things["__name__"] = Const(name)
        self.things["__file__"] = None

    def _shared(self, name: str, what: Thing | None) -> Thing | None:
        return maybe_rebound(what) if name in self.file.globals else what


def _builtin(name: str) -> Thing | None:
    return External(name) if hasattr(builtins, name) else None


def _flat(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a scope, those inside blocks included."""
    for node in body:
        yield node
        if isinstance(node, DEFINITIONS):
            continue
        for part in ("body", "handlers", "cases", "orelse", "finalbody"):
            for inner in getattr(node, part, ()):
                yield from _flat([inner] if isinstance(inner, ast.stmt) else inner.body)


def _names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, DEFINITIONS):
        yield node.name
    elif isinstance(node, ast.Import):
        yield from (a.asname or a.name.split(".")[0] for a in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (a.asname or a.name for a in node.names if a.name != "*")
    else:
        for target in _targets(node):
            yield from (n.id for n in ast.walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))


def _targets(node: ast.stmt) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    if isinstance(node, ast.With | ast.AsyncWith):
        return [i.optional_vars for i in node.items if i.optional_vars is not None]
    if type(node).__name__ == "TypeAlias":
        return [node.name]  # type: ignore[attr-defined]
    target = getattr(node, "target", None)
    return [target] if isinstance(target, ast.expr) else []


def _is_overload(node: ast.stmt) -> bool:
    """``@typing.overload``, ``@name.setter``: definitions that belong together."""
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
        isinstance(d, ast.Attribute) and d.attr in ("setter", "getter", "deleter") for d in node.decorator_list
    )


def exported(module: Module, name: str) -> Thing | None:
    """What ``from module import *`` brings under this name."""
    if name.startswith("_") and module.lookup("__all__") is None:
        return None
    found = module.lookup(name)
    return None if isinstance(found, External) and found.name == f"{module.name}.{name}" else found


def absolute(statement: ast.ImportFrom, scope: Scope) -> str:
    """The dotted name behind ``from``."""
    if not statement.level:
        return statement.module or ""
    module = scope.world.static_files.get(scope.file.filename)
    package = (module.name if module is not None else scope.name).split(".")
    if os.path.basename(scope.file.filename) != "__init__.py":
        package = package[:-1]
    package = package[: len(package) - statement.level + 1] if statement.level > 1 else package
    return ".".join([*package, *([statement.module] if statement.module else [])])


def imported(dotted: str, world: World, source: Scope | None = None) -> Thing:
    """A module of the project, one of ours, or `External`."""
    if dotted == "operator_lib" or dotted.startswith("operator_lib."):
        return Module(dotted, lambda name: ours(dotted, name, world))
    found = find_module(dotted, world, source)
    if found is None:
        return External(dotted)

    def lookup(name: str) -> Thing | None:
        if name in found.bindings or name in found.things:
            return found.lookup(name)
        inner = find_module(f"{dotted}.{name}", world, source)
        if inner is not None:
            return imported(f"{dotted}.{name}", world, source)
        starred = found.lookup(name) if found.stars else None
        if starred is not None:
            return starred
        if "__getattr__" in found.bindings:
            return Unknown("dynamic-attribute")
        return External(f"{dotted}.{name}")

    return Module(dotted, lookup)


def ours(dotted: str, name: str, world: World) -> Thing | None:
    """A name of operator_lib itself."""
    if name in _OPERATOR_DECORATORS:
        return External("operator_lib.operator")
    if dotted == "operator_lib" and name in ("core", "containers", "lib", "frontends", "decorator"):
        return Module(f"{dotted}.{name}", lambda inner: ours(f"{dotted}.{name}", inner, world))
    if name == "Operator":
        return External("operator_lib.Operator")
    if dotted == "operator_lib.frontends" and name == "tensorlake":
        return Module(_TENSORLAKE, lambda inner: ours(_TENSORLAKE, inner, world))
    if dotted == _TENSORLAKE:
        found = what_is(getattr(importlib.import_module(dotted), name, None), world)
        return found if isinstance(found, Class) and found.operator else External(f"{dotted}.{name}")
    if name in _OURS or dotted == "operator_lib.lib":
        module = importlib.import_module("operator_lib" if name in _OURS else dotted)
        return what_is(getattr(module, name, None), world)
    return External(f"{dotted}.{name}")


def find_module(dotted: str, world: World, source: Scope | None = None) -> StaticModule | None:
    """The module's file in the project (or beside the importing file), parsed."""
    if dotted in world.modules:
        return world.modules[dotted]
    beside = [os.path.dirname(source.file.filename)] if source is not None else []
    for folder in [*project_folders(world.root), *beside]:
        base = os.path.join(folder, *dotted.split("."))
        for filename in (os.path.join(base, "__init__.py"), base + ".py"):
            if not os.path.isfile(filename):
                continue
            known = world.static_files.get(filename)
            if known is None and (file := world.source(filename)) is not None:
                known = world.static_files[filename] = StaticModule(file, dotted, world)
            if known is not None:
                world.modules[dotted] = known
                return known
        if dotted and _holds_python(base):
            empty = SourceFile(os.path.join(base, "__init__.py"), "")
            world.modules[dotted] = made = StaticModule(empty, dotted, world)
            return made
    return None


def module_of(file: SourceFile, world: World) -> StaticModule:
    """The module that a file is."""
    known = world.static_files.get(file.filename)
    if known is None:
        path = os.path.relpath(os.path.realpath(file.filename), world.root or os.sep)
        name = path.removesuffix(".py").replace(os.sep, ".").removesuffix(".__init__")
        known = world.static_files[file.filename] = world.modules[name] = StaticModule(file, name, world)
    return known


def _holds_python(folder: str) -> bool:
    """Whether a folder without ``__init__.py`` can be imported from: one of data is not a package."""
    if not os.path.isdir(folder):
        return False
    inside = os.listdir(folder)
    return any(n.endswith(".py") or os.path.isfile(os.path.join(folder, n, "__init__.py")) for n in inside)


def project_folders(root: str) -> list[str]:
    """Where absolute imports are looked up: beside the program, and at the top of its repository."""
    found = [root]
    folder = root
    for _ in range(6):
        if any(os.path.exists(os.path.join(folder, marker)) for marker in _MARKERS):
            found += [f for f in (folder, os.path.join(folder, "src")) if f != root and os.path.isdir(f)]
            break
        folder = os.path.dirname(folder)
    return found
