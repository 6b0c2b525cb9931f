"""Live objects as `Thing`s: looked at without running a property, a ``__getattr__`` or any other code of theirs."""

from __future__ import annotations

import builtins
import dis
import functools
import sys
import types
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterable
from typing import Any

from operator_lib import tree
from operator_lib.decorator import FunctionOperator as Decorated
from operator_lib.trace.source import SourceFile, readable
from operator_lib.trace.values import (
    Class,
    Const,
    External,
    Foreign,
    ForeignObject,
    Function,
    FunctionOperator,
    Instance,
    Items,
    Many,
    Member,
    Method,
    Module,
    Partial,
    Remote,
    Thing,
    Unknown,
    Value,
    either,
    maybe_rebound,
)  # fmt: skip
from operator_lib.trace.world import World

# Classes whose own methods are machinery, not something to follow.
_MACHINERY = {
    ("operator_lib.core", "Operator"), ("operator_lib.decorator", "ClassOperator"), ("builtins", "object"),
    ("operator_lib.decorator", "FunctionOperator"), ("torch.nn.modules.module", "Module"), ("typing", "Generic"),
    ("collections.abc", "Mapping"), ("collections.abc", "Sequence"), ("collections.abc", "MutableSequence"),
    ("collections.abc", "MutableMapping"), ("abc", "ABC"),
    *(("operator_lib.frontends.sieve.functions", name) for name in ("Remote", "Function", "ModelBase")),
}  # fmt: skip
_CONSTANTS = (str, int, bool, float, type(None))
_CONTAINERS: tuple[Any, ...] = (
    list,
    tuple,
    OrderedDict,
    defaultdict,
    dict,
    deque,
    set,
    frozenset,
    types.MappingProxyType,
)
# Descriptors of these modules are followed by what they wrap, or are plain data.
_PLAIN_DESCRIPTORS = (
    "builtins",
    "functools",
    "operator_lib.core",
    "operator_lib.decorator",
    "_functools",
    "collections",
)
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

    def order(self) -> list[Class]:
        """Method resolution order."""
        return [live_class(cls, self.world) for cls in self.cls.__mro__]

    def find(self, name: str, after: object = None) -> Member | None:
        order: list[Any] = list(self.cls.__mro__)
        if after in order:
            order = order[order.index(after) + 1 :]
        for cls in order:
            found = self._own(cls, name)
            if found is not None:
                return found
        return None

    def own(self, name: str) -> Member | None:
        """The attribute of this very class."""
        return self._own(self.cls, name)

    def _own(self, cls: type, name: str) -> Member | None:
        raw = cls.__dict__.get(name, _MISSING)
        if raw is _MISSING:
            return None
        self.world.witnesses.append((cls, name, raw))
        if is_machinery(cls) or is_graph(cls):
            return Member("machinery", External(f"{cls.__name__}.{name}"), cls)
        return member(raw, cls, self.world)

    def sets(self, name: str) -> bool:
        """Whether one of its methods gives its objects this attribute after they were made."""
        for cls in self.cls.__mro__:
            for key, raw in cls.__dict__.items() if not is_machinery(cls) else ():
                function = _function(raw)
                if key in ("__getattr__", "__getattribute__"):
                    return True
                if key != "__init__" and function is not None and _stores(function.__code__, name):
                    return True
        return False

    def place(self) -> tuple[str, int]:
        for raw in self.cls.__dict__.values():
            function = _function(raw)
            if function is not None and function.__module__ == self.cls.__module__:
                code = function.__code__
                file = self.world.source(code.co_filename)
                return (code.co_filename, class_line(file, self.cls.__name__, code.co_firstlineno)) if file else ("", 0)
        return "", 0


def _stores(code: types.CodeType, name: str) -> bool:
    return name in code.co_names and any(
        step.opname == "STORE_ATTR" and step.argval == name for step in dis.get_instructions(code)
    )


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


def is_graph(cls: type) -> bool:
    """One of ours whose functions are declared: see `graphs`."""
    return hasattr(cls, "_operator_named") and cls.__module__.startswith("operator_lib.")


def _function(raw: Any) -> types.FunctionType | None:
    """The function of a class attribute; whatever else is there is not asked anything."""
    kind = type(raw)
    inner = raw.__func__ if issubclass(kind, staticmethod | classmethod) else raw
    return inner if type(inner) is types.FunctionType else None


_CACHED = type(functools.lru_cache(lambda: None))


def member(raw: Any, owner: type, world: World) -> Member:
    """A class attribute by how it binds. `isinstance` would ask the object, which is the user's."""
    kind = type(raw)
    if issubclass(kind, staticmethod):
        return Member("static", own(raw.__func__, world), owner)
    if issubclass(kind, classmethod):
        return Member("class", own(raw.__func__, world), owner)
    if issubclass(kind, property):
        return Member("property", own(raw.fget, world), owner)
    if issubclass(kind, functools.cached_property):
        return Member("property", own(raw.func, world), owner)
    if issubclass(kind, functools.partialmethod):
        made = Partial(
            what_is(raw.func, world) or Unknown("no-source"),
            tuple(Value(what=what_is(a, world)) for a in raw.args),
            {k: Value(what=what_is(v, world)) for k, v in raw.keywords.items()},
        )
        return Member("method", made, owner)
    if issubclass(kind, functools.singledispatchmethod):
        return Member("method", _dispatched(raw.dispatcher, world), owner)
    if hasattr(kind, "__get__") and kind.__module__ not in _PLAIN_DESCRIPTORS:
        return Member("value", Unknown("descriptor"), owner)
    binds = kind in (types.FunctionType, _CACHED) or issubclass(kind, Decorated)
    return Member("method" if binds else "value", own(raw, world), owner)


def _dispatched(raw: Any, world: World) -> Thing | None:
    """One of the functions that ``functools.singledispatch`` chooses between."""
    return either(own(f, world) for f in raw.__dict__["registry"].values())


def own(raw: Any, world: World) -> Thing | None:
    """A function that belongs to an operator: read wherever its source is."""
    if type(raw) is not types.FunctionType:
        return what_is(raw, world)
    known = world.owned.get(id(raw))
    if known is None:
        known = world.owned[id(raw)] = (raw, function(raw, world))
    return known[1]


def what_is(obj: Any, world: World) -> Thing | None:
    """The `Thing` for a live object; None for plain data."""
    if type(obj) in _CONSTANTS:
        return Const(obj)
    known = world.things.get(id(obj))
    if known is not None and known[0] is obj:
        return known[1]
    made = _what_is(obj, world)
    world.things[id(obj)] = (obj, made)
    return made


def _what_is(obj: Any, world: World) -> Thing | None:
    cls = type(obj)  # never `isinstance`, which asks the object for its ``__class__``
    if cls in _CONTAINERS or (issubclass(cls, (list, tuple, dict)) and not _iterates_itself(cls)):
        return _container(obj, cls, world)
    if issubclass(cls, Decorated) and "__wrapped__" in tree.state(obj):
        return function_operator(obj, world)
    if (handle := latched(obj)) is not None:
        face, called, method = handle
        known = live_class(sys.modules["operator_lib.core"].Operator, world)
        made = Remote(known, called, face, world.paths.get(id(obj)))
        return Method(Value(what=made), method) if method else made
    if tree.is_operator(obj):
        return Instance(live_class(cls, world), operator=True, live=obj, path=world.paths.get(id(obj)))
    if issubclass(cls, types.FunctionType):
        return global_function(obj, world)
    if issubclass(cls, types.MethodType):
        return _bound_method(obj, world)
    if issubclass(cls, type):
        if _class_in_reach(obj, world):
            return live_class(obj, world)
        name = _class_name(obj)
        return Foreign(name, obj) if world.reads(obj.__module__) else External(name)
    if issubclass(cls, types.ModuleType):
        return module(obj, world)
    if issubclass(cls, functools.partial):
        return Partial(
            what_is(obj.func, world) or External("partial"),
            tuple(Value(what=what_is(a, world)) for a in obj.args),
            {k: Value(what=what_is(v, world)) for k, v in obj.keywords.items()},
        )
    inner = getattr(obj, "__wrapped__", None) if hasattr(cls, "cache_info") else None
    if isinstance(inner, types.FunctionType):
        return global_function(inner, world)
    if cls is types.BuiltinFunctionType and isinstance(obj.__module__, str):
        return External(f"{obj.__module__.lstrip('_')}.{obj.__name__}".removeprefix("builtins."))
    if cls.__module__ == "numpy" and cls.__name__ in ("ufunc", "_ArrayFunctionDispatcher"):
        return External(f"{getattr(obj, '__module__', None) or 'numpy'}.{obj.__name__}")
    read = world.reads(cls.__module__) and not hasattr(cls, "__torch_function__")
    if read or cls is types.SimpleNamespace or _class_in_reach(cls, world):
        return Instance(live_class(cls, world), operator=False, live=obj)
    if cls.__module__ != "builtins":
        return ForeignObject(_class_name(cls) + "()")
    return External(str(cls.__qualname__)) if callable(obj) else None


# Classes of handles: see `Remote`, and the attribute that holds the name of what is deployed.
_HANDLES = {
    ("operator_lib.client.job", "JobHandle"): ("job", "_name"),
    ("operator_lib.client.serving", "ServingHandle"): ("serving", "_name"),
    ("operator_lib.frontends.sieve.reference", "Reference"): ("front", "name"),
    ("operator_lib.frontends.tensorlake.remote", "RemoteGraph"): ("front", "name"),
}
_REMOTE_METHOD = ("operator_lib.client.serving", "RemoteMethod")


def latched(obj: Any) -> tuple[str, str, str] | None:
    """The face of a handle, the name of what is deployed and, of one of its methods, its name; None: no handle."""
    for cls in type(obj).__mro__:
        where = (cls.__module__, cls.__qualname__)
        if where in _HANDLES:
            face, name = _HANDLES[where]
            return face, str(tree.state(obj).get(name, cls.__name__)), ""
        if where == _REMOTE_METHOD:
            inside = tree.state(obj)
            found = latched(inside["_handle"])
            return (*found[:2], inside["_name"]) if found is not None else None
    return None


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


def _class_name(cls: type) -> str:
    """The name by which a class of an installed package is known, as an import would spell it."""
    if cls is sys.modules["operator_lib.core"].Operator:
        return "operator_lib.Operator"
    module = cls.__module__.lstrip("_")
    return str(cls.__qualname__) if module == "builtins" else f"{module}.{cls.__qualname__}"


def _iterates_itself(cls: type) -> bool:
    """Whether the class decides itself what its members are: nothing of it is run to find out."""
    own = [c for c in cls.__mro__ if c.__module__ not in ("builtins", "collections", "typing")]
    return any(name in c.__dict__ for c in own for name in ("__iter__", "__getitem__", "items", "values", "get"))


def _container(obj: Any, cls: type, world: World) -> Thing | None:
    """Members, read by the methods of the built-in class: an overridden one is the user's code."""
    if cls in (set, frozenset):
        return _set(obj, world)
    if cls is types.MappingProxyType:
        return None
    base = next(c for c in cls.__mro__ if c in _CONTAINERS)
    if base.__len__(obj) > 10_000:
        return None
    named = base in (dict, OrderedDict, defaultdict)
    world.things[id(obj)] = (obj, None)  # a container that holds itself ends here
    items = base.items(obj) if named else enumerate(base.__iter__(obj))
    made = Items(
        "dict" if named else base.__name__,
        {k: Value(what=what_is(v, world)) for k, v in list(items)},
    )
    if cls not in _CONTAINERS:
        names = cls.__dict__.get("_fields", ())
        made.names = tuple(names) if isinstance(names, tuple) else ()
        made.cls = live_class(cls, world)
    return made


def _set(obj: Any, world: World) -> Thing | None:
    """One of the members: a set has no order that would be the same in every run."""
    found = [w for v in list(obj) if (w := what_is(v, world)) is not None and not isinstance(w, Const)]
    found.sort(key=lambda w: (str(getattr(w, "path", "")), getattr(w, "title", "")))
    return Many(Value(what=either(found)), "set") if found and len(found) <= 64 else None


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
    if "registry" in raw.__dict__ and "dispatch" in raw.__dict__:
        return _dispatched(raw, world) or External(raw.__qualname__)
    inner = raw
    while isinstance(getattr(inner, "__wrapped__", None), types.FunctionType):
        if world.in_project(inner.__code__.co_filename):
            break
        inner = inner.__wrapped__  # type: ignore[attr-defined]
    if not world.in_project(inner.__code__.co_filename):
        name = f"{raw.__module__}.{raw.__qualname__}"
        return Foreign(name, inner) if world.reads(raw.__module__) else External(name)
    return function(inner, world)


def packages(operators: Iterable[object]) -> frozenset[str]:
    """The packages that define the classes of a tree: what their functions do with its operators is read as well."""
    classes = {base for cls in {type(op) for op in operators} for base in cls.__mro__ if not is_machinery(base)}
    found = {cls.__module__.partition(".")[0] for cls in classes}
    # Of torch only what is written in terms of modules: the rest works on tensors.
    return frozenset("torch.nn" if name == "torch" else name for name in found if name != "operator_lib")


def function(raw: types.FunctionType, world: World) -> Thing:
    """A `Function`, or `Unknown` when its source cannot be had."""
    wrapped = getattr(raw, "__wrapped__", None)
    code = raw.__code__
    if isinstance(wrapped, types.FunctionType) and not world.in_project(code.co_filename):
        return function(wrapped, world)
    frozen = code.co_filename.startswith("<frozen")
    file = world.source(raw.__globals__.get("__file__", "") if frozen else code.co_filename)
    if file is None:
        return Unknown("not-python" if readable(code.co_filename) else "no-source")
    node = file.function(code)
    if node is None:
        return Unknown("source-changed")
    return Function(node, file, raw.__name__, _lookup(raw, file, world), default=_defaults(raw, world), live=raw)


def _lookup(raw: types.FunctionType, file: SourceFile, world: World) -> Any:
    names, cells, namespace = raw.__code__.co_freevars, raw.__closure__ or (), raw.__globals__
    rebound = file.globals

    def lookup(name: str) -> Thing | None:
        if name in names:
            try:
                return what_is(cells[names.index(name)].cell_contents, world)
            except ValueError:
                return None
        value = namespace.get(name, _MISSING)
        if value is not _MISSING:
            world.witnesses.append((namespace, name, value))
            return maybe_rebound(what_is(value, world)) if name in rebound else what_is(value, world)
        return External(name) if hasattr(builtins, name) else None

    return lookup


def _defaults(raw: types.FunctionType, world: World) -> Any:
    def default(name: str) -> Thing | None:
        names = raw.__code__.co_varnames[: raw.__code__.co_argcount]
        values = raw.__defaults__ or ()
        found = dict(zip(names[len(names) - len(values) :], values, strict=True)) | (raw.__kwdefaults__ or {})
        return what_is(found[name], world) if name in found else None

    return default
