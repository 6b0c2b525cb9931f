"""Live objects as `Thing`s: looked at without running a property, a ``__getattr__`` or any other code of theirs."""

from __future__ import annotations

import builtins
import functools
import inspect
import sys
import types
from typing import Any

from operator_lib import tree
from operator_lib.trace.source import SourceFile
from operator_lib.trace.values import (
    Class,
    Const,
    External,
    Function,
    FunctionOperator,
    Instance,
    Items,
    Member,
    Module,
    Partial,
    Thing,
    Unknown,
    Value,
)  # fmt: skip
from operator_lib.trace.world import World

# Classes whose own methods are machinery, not something to follow.
_MACHINERY = {
    ("operator_lib.core", "Operator"), ("operator_lib.decorator", "ClassOperator"), ("builtins", "object"),
    ("operator_lib.decorator", "FunctionOperator"), ("torch.nn.modules.module", "Module"), ("typing", "Generic"),
    ("collections.abc", "MutableSequence"), ("collections.abc", "MutableMapping"), ("abc", "ABC"),
}  # fmt: skip
_CONSTANTS = (str, int, bool, float, type(None))
_MISSING = object()


class LiveClass(Class):
    """A class that exists."""

    __slots__ = ("cls", "name", "operator", "world")

    def __init__(self, cls: type, world: World) -> None:
        self.cls = cls
        self.world = world
        self.name = cls.__name__
        core = sys.modules["operator_lib.core"]
        self.operator = issubclass(cls, core.Operator) or (
            hasattr(cls, "named_children") and isinstance(getattr(cls, "forward", None), types.FunctionType)
        )

    @property
    def key(self) -> object:
        return self.cls

    @property
    def container(self) -> str:
        return next((c.__name__ for c in self.cls.__mro__ if c.__module__ == "operator_lib.containers"), "")

    def find(self, name: str, after: object = None) -> Member | None:
        order: list[Any] = list(self.cls.__mro__)
        if after in order:
            order = order[order.index(after) + 1 :]
        for cls in order:
            raw = cls.__dict__.get(name, _MISSING)
            if raw is not _MISSING:
                self.world.witnesses.append((cls, name, raw))
                if is_machinery(cls):
                    return Member("machinery", External(f"{cls.__name__}.{name}"), cls)
                return member(raw, cls, self.world)
        return None

    def place(self) -> tuple[str, int]:
        for raw in self.cls.__dict__.values():
            code = getattr(getattr(raw, "__func__", raw), "__code__", None)
            if code is not None and raw.__module__ == self.cls.__module__:
                file = self.world.source(code.co_filename)
                return (code.co_filename, class_line(file, self.cls.__name__, code.co_firstlineno)) if file else ("", 0)
        return "", 0


def class_line(file: SourceFile, name: str, inside: int) -> int:
    """Line of the class statement `name` around a line."""
    import ast

    from operator_lib.trace.source import statements

    for node in statements(file.tree.body):
        if isinstance(node, ast.ClassDef) and node.name == name and node.lineno <= inside <= (node.end_lineno or 0):
            return node.lineno
    return inside


def is_machinery(cls: type) -> bool:
    return (cls.__module__, cls.__qualname__) in _MACHINERY


def member(raw: Any, owner: type, world: World) -> Member:
    """A class attribute by how it binds."""
    if isinstance(raw, staticmethod):
        return Member("static", own(raw.__func__, world), owner)
    if isinstance(raw, classmethod):
        return Member("class", own(raw.__func__, world), owner)
    if isinstance(raw, property):
        return Member("property", own(raw.fget, world), owner)
    if isinstance(raw, functools.cached_property):
        return Member("property", own(raw.func, world), owner)
    if isinstance(raw, functools.partialmethod):
        made = Partial(
            what_is(raw.func, world) or Unknown("no-source"),
            tuple(Value(what=what_is(a, world)) for a in raw.args),
            {k: Value(what=what_is(v, world)) for k, v in raw.keywords.items()},
        )
        return Member("method", made, owner)
    binds = (
        isinstance(raw, types.FunctionType) or type(raw).__name__ == "FunctionOperator" or hasattr(raw, "cache_info")
    )
    return Member("method" if binds else "value", own(raw, world), owner)


def own(raw: Any, world: World) -> Thing | None:
    """A function that belongs to an operator: read wherever its source is."""
    if not isinstance(raw, types.FunctionType):
        return what_is(raw, world)
    known = world.owned.get(id(raw))
    if known is None:
        known = world.owned[id(raw)] = (raw, function(raw, world))
    return known[1]


def what_is(obj: Any, world: World) -> Thing | None:
    """The `Thing` for a live object; None for plain data."""
    if isinstance(obj, _CONSTANTS) and type(obj) in _CONSTANTS:
        return Const(obj)
    known = world.things.get(id(obj))
    if known is not None and known[0] is obj:
        return known[1]
    made = _what_is(obj, world)
    world.things[id(obj)] = (obj, made)
    return made


def _what_is(obj: Any, world: World) -> Thing | None:
    cls = type(obj)
    if cls in (list, tuple, dict):
        return _container(obj, world)
    if cls.__name__ == "FunctionOperator" and "__wrapped__" in getattr(obj, "__dict__", ()):
        return function_operator(obj, world)
    if tree.is_operator(obj):
        return Instance(live_class(cls, world), operator=True, live=obj, path=world.paths.get(id(obj)))
    if isinstance(obj, types.FunctionType):
        return global_function(obj, world)
    if isinstance(obj, types.MethodType):
        return _bound_method(obj, world)
    if inspect.isclass(obj):
        return live_class(obj, world) if _class_in_reach(obj, world) else External(obj.__qualname__)
    if isinstance(obj, types.ModuleType):
        return module(obj, world)
    if isinstance(obj, functools.partial):
        return Partial(
            what_is(obj.func, world) or External("partial"),
            tuple(Value(what=what_is(a, world)) for a in obj.args),
            {k: Value(what=what_is(v, world)) for k, v in obj.keywords.items()},
        )
    inner = getattr(obj, "__wrapped__", None) if hasattr(cls, "cache_info") else None
    if isinstance(inner, types.FunctionType):
        return global_function(inner, world)
    if _class_in_reach(cls, world):
        return Instance(live_class(cls, world), operator=False, live=obj)
    return External(cls.__qualname__) if callable(obj) or cls.__module__ != "builtins" else None


def live_class(cls: type, world: World) -> LiveClass:
    known = world.things.get(id(cls))
    if known is not None and isinstance(known[1], LiveClass):
        return known[1]
    made = LiveClass(cls, world)
    world.things[id(cls)] = (cls, made)
    return made


def _class_in_reach(cls: type, world: World) -> bool:
    core = sys.modules["operator_lib.core"]
    if is_machinery(cls):
        return False
    if issubclass(cls, core.Operator):
        return True
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return cls.__module__ == "__main__" or (file is not None and world.in_project(file))


def _container(obj: Any, world: World) -> Thing | None:
    if len(obj) > 10_000:
        return None
    items = obj.items() if isinstance(obj, dict) else enumerate(obj)
    world.things[id(obj)] = (obj, None)  # a container that holds itself ends here
    values = {k: Value(what=what_is(v, world)) for k, v in list(items)}
    return Items(type(obj).__name__, values)


def function_operator(obj: Any, world: World) -> Thing:
    wrapped = own(obj.__dict__["__wrapped__"], world)
    made = FunctionOperator(
        wrapped or Unknown("no-source"), live_class(type(obj), world), live=obj, path=world.paths.get(id(obj))
    )
    made.title = obj.__dict__.get("__name__", "function")
    return made


def _bound_method(obj: types.MethodType, world: World) -> Thing | None:
    inner, me = own(obj.__func__, world), what_is(obj.__self__, world)
    owner = None
    for cls in type(obj.__self__).__mro__:
        if cls.__dict__.get(obj.__func__.__name__) is obj.__func__:
            owner = cls
    return inner.bind(me, owner) if isinstance(inner, Function) else inner


def module(obj: types.ModuleType, world: World) -> Thing:
    def lookup(name: str) -> Thing | None:
        if name not in obj.__dict__:
            return External(f"{obj.__name__}.{name}")
        value = obj.__dict__[name]
        world.witnesses.append((obj.__dict__, name, value))
        return what_is(value, world)

    return Module(obj.__name__, lookup)


def global_function(raw: types.FunctionType, world: World) -> Thing:
    """A function of the project; what stems from elsewhere is not read."""
    if raw.__module__ in ("operator_lib.decorator", "operator_lib.core"):
        return External("operator_lib.operator" if raw.__name__ == "operator" else f"operator_lib.{raw.__name__}")
    inner = raw
    while isinstance(getattr(inner, "__wrapped__", None), types.FunctionType):
        if world.in_project(inner.__code__.co_filename):
            break
        inner = inner.__wrapped__  # type: ignore[attr-defined]
    if not world.in_project(inner.__code__.co_filename):
        return External(f"{raw.__module__}.{raw.__qualname__}")
    return function(inner, world)


def function(raw: types.FunctionType, world: World) -> Thing:
    """A `Function`, or `Unknown` when its source cannot be had."""
    wrapped = getattr(raw, "__wrapped__", None)
    code = raw.__code__
    if isinstance(wrapped, types.FunctionType) and not world.in_project(code.co_filename):
        return function(wrapped, world)
    file = world.source(code.co_filename)
    if file is None:
        return Unknown("no-source")
    node = file.function(code)
    if node is None:
        return Unknown("source-changed")
    return Function(node, file, raw.__name__, _lookup(raw, world), default=_defaults(raw, world), live=raw)


def _lookup(raw: types.FunctionType, world: World) -> Any:
    names, cells, namespace = raw.__code__.co_freevars, raw.__closure__ or (), raw.__globals__

    def lookup(name: str) -> Thing | None:
        if name in names:
            try:
                return what_is(cells[names.index(name)].cell_contents, world)
            except ValueError:
                return None
        value = namespace.get(name, _MISSING)
        if value is not _MISSING:
            world.witnesses.append((namespace, name, value))
            return what_is(value, world)
        return External(name) if hasattr(builtins, name) else None

    return lookup


def _defaults(raw: types.FunctionType, world: World) -> Any:
    def default(name: str) -> Thing | None:
        names = raw.__code__.co_varnames[: raw.__code__.co_argcount]
        values = raw.__defaults__ or ()
        found = dict(zip(names[len(names) - len(values) :], values, strict=True)) | (raw.__kwdefaults__ or {})
        return what_is(found[name], world) if name in found else None

    return default
