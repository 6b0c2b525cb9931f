"""Modules and classes that are only read: for ``operator-lib dag FILE:NAME`` and for plans, nothing is imported."""

from __future__ import annotations

import ast
import builtins
import importlib
import os
from typing import Any

from operator_lib import core
from operator_lib.trace.live import LiveClass, what_is
from operator_lib.trace.source import SourceFile
from operator_lib.trace.values import Class, External, Function, FunctionOperator, Member, Module, Thing
from operator_lib.trace.world import World

_OURS = ("Sequential", "OperatorList", "OperatorDict")
_OPERATOR_BASES = ("operator_lib.Operator", "operator_lib.core.Operator", "torch.nn.Module", "torch.nn.modules.Module")
_OPERATOR_DECORATORS = ("operator", "tensorlake_function", "function", "Operator.fn", "Model")


class StaticModule:
    """The names of a module, found by reading it."""

    def __init__(self, file: SourceFile, name: str, world: World) -> None:
        self.file = file
        self.name = name
        self.world = world
        self.bindings: dict[str, ast.stmt] = {}
        self.things: dict[str, Thing | None] = {}
        _bind(file.tree.body, self.bindings)

    def lookup(self, name: str) -> Thing | None:
        """What a global name denotes."""
        if name in self.things:
            return self.things[name]
        self.things[name] = None  # a name defined by itself ends here
        statement = self.bindings.get(name)
        if statement is None:
            found: Thing | None = External(name) if hasattr(builtins, name) else None
        else:
            found = self._bound(name, statement)
        self.things[name] = found
        return found

    def _bound(self, name: str, statement: ast.stmt) -> Thing | None:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            made = Function(statement, self.file, name, self.lookup)
            return self.world.decorate(made, statement.decorator_list, self)
        if isinstance(statement, ast.ClassDef):
            return StaticClass(statement, self)
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                if (alias.asname or alias.name.split(".")[0]) == name:
                    return imported(alias.name if alias.asname else name, self.world, self)
        if isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                if (alias.asname or alias.name) == name:
                    return self._from(statement, alias.name)
        value = getattr(statement, "value", None)
        if isinstance(statement, ast.Assign | ast.AnnAssign) and value is not None:
            return self.world.evaluate(value, self).what
        return None

    def _from(self, statement: ast.ImportFrom, name: str) -> Thing | None:
        dotted = absolute(statement, self)
        if dotted == "operator_lib" or dotted.startswith("operator_lib."):
            return _ours(dotted, name, self.world)
        inner = imported(f"{dotted}.{name}" if dotted else name, self.world, self)
        if isinstance(inner, Module):
            return inner
        outer = imported(dotted, self.world, self)
        return outer.lookup(name) if isinstance(outer, Module) else External(f"{dotted}.{name}")


def _bind(body: list[ast.stmt], into: dict[str, ast.stmt]) -> None:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            into[node.name] = node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                into[alias.asname or (alias.name.split(".")[0] if isinstance(node, ast.Import) else alias.name)] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    into[target.id] = node
        elif isinstance(node, ast.If | ast.Try | ast.With):
            for part in ("orelse", "body", "finalbody"):
                _bind(getattr(node, part, []), into)


def absolute(statement: ast.ImportFrom, module: StaticModule) -> str:
    """The dotted name behind ``from``."""
    if not statement.level:
        return statement.module or ""
    package = module.name.split(".")
    if os.path.basename(module.file.filename) != "__init__.py":
        package = package[:-1]
    package = package[: len(package) - statement.level + 1] if statement.level > 1 else package
    return ".".join([*package, *([statement.module] if statement.module else [])])


def imported(dotted: str, world: World, source: StaticModule | None = None) -> Thing:
    """A module of the project, one of ours, or `External`."""
    if dotted == "operator_lib" or dotted.startswith("operator_lib."):
        return Module(dotted, lambda name: _ours(dotted, name, world))
    found = find_module(dotted, world, source)
    if found is None:
        return External(dotted)

    def lookup(name: str) -> Thing | None:
        if name in found.bindings:
            return found.lookup(name)
        inner = find_module(f"{dotted}.{name}", world, source)
        return Module(f"{dotted}.{name}", inner.lookup) if inner is not None else External(f"{dotted}.{name}")

    return Module(dotted, lookup)


def _ours(dotted: str, name: str, world: World) -> Thing | None:
    if name in _OPERATOR_DECORATORS:
        return External("operator_lib.operator")
    if dotted == "operator_lib" and name in ("core", "containers", "lib", "frontends", "decorator"):
        return Module(f"{dotted}.{name}", lambda inner: _ours(f"{dotted}.{name}", inner, world))
    if name == "Operator":
        return External("operator_lib.Operator")
    if name in _OURS or dotted == "operator_lib.lib":
        module = importlib.import_module("operator_lib" if name in _OURS else dotted)
        return what_is(getattr(module, name, None), world)
    return External(f"{dotted}.{name}")


def find_module(dotted: str, world: World, source: StaticModule | None = None) -> StaticModule | None:
    """The module's file below the project root (or beside the importing file), parsed."""
    if dotted in world.modules:
        return world.modules[dotted]
    folders = [world.root, *([os.path.dirname(source.file.filename)] if source is not None else [])]
    for folder in folders:
        base = os.path.join(folder, *dotted.split("."))
        for filename in (base + ".py", os.path.join(base, "__init__.py")):
            if os.path.isfile(filename) and (file := world.source(filename)) is not None:
                world.modules[dotted] = made = StaticModule(file, dotted, world)
                return made
    return None


class StaticClass(Class):
    """A class that was only read."""

    __slots__ = ("bases", "members", "module", "name", "node", "operator")

    def __init__(self, node: ast.ClassDef, module: StaticModule) -> None:
        self.node = node
        self.module = module
        self.name = node.name
        self.members: dict[str, ast.stmt] = {}
        _bind(node.body, self.members)
        self.bases = [module.world.evaluate(b, module).what for b in node.bases]
        decorated = any(_is_operator_decorator(d, module) for d in node.decorator_list)
        self.operator = decorated or any(_operator_base(b) for b in self.bases)

    @property
    def key(self) -> object:
        return self.node

    @property
    def container(self) -> str:
        return next((b.container for b in self.bases if isinstance(b, Class) and b.container), "")

    def order(self) -> list[Class]:
        """Method resolution order, depth first (diamonds: last appearance)."""
        found: list[Class] = [self]
        for base in self.bases:
            if isinstance(base, StaticClass):
                found.extend(base.order())
            elif isinstance(base, LiveClass):
                found.append(base)
        return [c for i, c in enumerate(found) if not any(c.key is d.key for d in found[i + 1 :])]

    def find(self, name: str, after: object = None) -> Member | None:
        order = self.order()
        keys = [c.key for c in order]
        if after is not None and after in keys:
            order = order[keys.index(after) + 1 :]
        for cls in order:
            found = cls.own(name) if isinstance(cls, StaticClass) else cls.find(name)
            if found is not None:
                return found
        if self.operator and hasattr(core.Operator, name):
            return Member("machinery", External(f"Operator.{name}"), core.Operator)
        return None

    def own(self, name: str) -> Member | None:
        statement = self.members.get(name)
        if statement is None:
            return None
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            value = getattr(statement, "value", None)
            return Member("value", self.module.world.evaluate(value, self.module).what if value else None, self.node)
        names = [_dotted(d) for d in statement.decorator_list]
        made = Function(statement, self.module.file, name, self.module.lookup, owner=self.node)
        for how, decorators in _KINDS.items():
            if any(n in decorators for n in names):
                return Member(how, made, self.node)
        rest = [d for d in statement.decorator_list if _dotted(d) not in ("abstractmethod", "abc.abstractmethod")]
        return Member("method", self.module.world.decorate(made, rest, self.module), self.node)

    def place(self) -> tuple[str, int]:
        return self.module.file.filename, self.node.lineno


_KINDS = {
    "static": ("staticmethod",),
    "class": ("classmethod",),
    "property": ("property", "cached_property", "functools.cached_property"),
}


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _is_operator_decorator(node: ast.expr, module: StaticModule) -> bool:
    return is_operator_decorator(module.world.evaluate(node.func if isinstance(node, ast.Call) else node, module).what)


def is_operator_decorator(what: Thing | None) -> bool:
    return isinstance(what, External) and what.name in ("operator_lib.operator", "operator_lib.Operator.fn")


def _operator_base(what: Thing | None) -> bool:
    if isinstance(what, Class):
        return what.operator
    return isinstance(what, External) and what.name in _OPERATOR_BASES


def function_operator(function: Function, world: Any = None) -> FunctionOperator:
    """An operator made of a function that was only read."""
    made = FunctionOperator(function, _FunctionClass())
    made.title = function.name
    return made


class _FunctionClass(Class):
    __slots__ = ()
    name = "function"
    operator = True

    def find(self, name: str, after: object = None) -> Member | None:
        return None

    @property
    def key(self) -> object:
        return _FunctionClass
