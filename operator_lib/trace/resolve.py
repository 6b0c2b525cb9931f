"""From a thing to its parts: attribute, member of a container, what a call runs. Evaluates nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from operator_lib import tree
from operator_lib.trace.frame import Heap
from operator_lib.trace.live import what_is
from operator_lib.trace.values import (
    DATA,
    Choice,
    Class,
    Const,
    External,
    Function,
    FunctionOperator,
    Instance,
    Items,
    Many,
    Member,
    Method,
    Module,
    Partial,
    Super,
    Thing,
    Unknown,
    Value,
    either,
    holds_operators,
)  # fmt: skip
from operator_lib.trace.world import World

# Attributes that hold the members of our own containers.
_CONTENTS = {"Sequential": "steps", "OperatorList": "items", "OperatorDict": "by_name"}
_MISSING = object()
CHOICE_LIMIT = 64


class Property(Thing):
    """An attribute that is computed by a function when it is read."""

    __slots__ = ("function",)

    def __init__(self, function: Thing | None) -> None:
        self.function = function


def attribute(of: Value, name: str, heap: Heap, world: World) -> Value:
    """The value of ``of.name``."""
    what = of.what
    if isinstance(what, Instance):
        key = (what.identity, name)
        written = heap.get(key) or world.heap.get(key)
        if written is not None:
            return written
        return Value(of.deps, _of_instance(what, name, world))
    if isinstance(what, Choice):
        found = [attribute(Value(what=o), name, heap, world) for o in what.options]
        deps = of.deps.union(*(v.deps for v in found))
        return Value(deps, either(v.what for v in found))
    return Value(of.deps, _of_other(of, what, name))


def _of_other(of: Value, what: Thing | None, name: str) -> Thing | None:
    if isinstance(what, Module):
        return what.lookup(name)
    if isinstance(what, External):
        return External(f"{what.name}.{name}")
    if isinstance(what, Class):
        member = what.find(name)
        return _bound(member, None, what, name) if member is not None else External(f"{what.name}.{name}")
    if isinstance(what, Super):
        member = what.instance.cls.find(name, what.after)
        return _bound(member, what.instance, what.instance.cls, name) if member is not None else External(name)
    if isinstance(what, Items | Many | Function | Partial) or what is None:
        return Method(of, name)
    return Method(of, name) if isinstance(what, Const) else None


def _of_instance(what: Instance, name: str, world: World) -> Thing | None:
    if what.live is not None and not isinstance(what, FunctionOperator):
        raw = _stored(what.live, name)
        if raw is not _MISSING:
            return what_is(raw, world)
    member = what.cls.find(name)
    if member is not None:
        return _bound(member, what, what.cls, name)
    if isinstance(what, FunctionOperator):
        return Method(Value(what=what), name)
    if not what.operator and what.live is not None:
        return External(name)
    return Unknown("attribute")


def _stored(obj: Any, name: str) -> Any:
    if tree.is_module(obj):
        for table in ("_modules", "_parameters", "_buffers"):
            if name in obj.__dict__.get(table, ()):
                return obj.__dict__[table][name]
    inside = getattr(obj, "__dict__", None)
    if inside is not None and name in inside:
        return inside[name]
    for cls in type(obj).__mro__:
        if "__slots__" in cls.__dict__ and type(cls.__dict__.get(name)).__name__ == "member_descriptor":
            return getattr(obj, name, _MISSING)
    return _MISSING


def _bound(member: Member, instance: Instance | None, cls: Class, name: str) -> Thing | None:
    what = member.what
    if member.how == "machinery":
        return Method(Value(what=instance), name) if instance is not None else what
    if member.how == "class" and isinstance(what, Function):
        return what.bind(cls, member.owner)
    if member.how == "property" and instance is not None:
        return Property(what.bind(instance, member.owner) if isinstance(what, Function) else what)
    if member.how != "method":
        return what
    if isinstance(what, Function):
        return what.bind(instance, member.owner)
    if instance is not None and isinstance(what, FunctionOperator | Partial):
        return Partial(what, (Value(what=instance),), {})
    return what


def entry(what: Instance) -> Thing | None:
    """What runs when the object is called."""
    if isinstance(what, FunctionOperator):
        return what.function
    for name in ("__call__", "forward"):
        member = what.cls.find(name)
        if member is not None and member.how != "machinery":
            return _bound(member, what, what.cls, name)
    return None


def contents(what: Instance, heap: Heap, world: World) -> Thing | None:
    """The members of an operator that is a container, else None."""
    if what.live is not None and tree.is_module(what.live):
        modules = what.live.__dict__["_modules"]
        values = [Value(what=what_is(m, world)) for m in modules.values() if m is not None]
        named = "Dict" in type(what.live).__name__
        return Items("dict", dict(zip(modules, values, strict=False))) if named else Items.of(values)
    name = _CONTENTS.get(what.cls.container)
    if name is not None:
        return attribute(Value(what=what), name, heap, world).what
    return None


def iterate(of: Value, heap: Heap, world: World) -> list[Value] | Value:
    """The members one by one where they are known, else one value that stands for each of them."""
    what = of.what
    if isinstance(what, Instance):
        what = contents(what, heap, world)
    if isinstance(what, Items):
        values = [Value(what=Const(k)) for k in what.values] if what.kind == "dict" else list(what.values.values())
        return [Value(of.deps | v.deps, v.what) for v in values]
    if isinstance(what, Many):
        return Value(of.deps | what.element.deps, what.element.what)
    if isinstance(what, Unknown):
        return Value(of.deps, what)
    if isinstance(what, Choice):
        return Value(of.deps, Unknown("dynamic"))
    return Value(of.deps)


def subscript(of: Value, index: Value, heap: Heap, world: World) -> Value:
    """The value of ``of[index]``."""
    what = of.what
    deps = of.deps | index.deps
    if isinstance(what, Instance):
        what = contents(what, heap, world) or what
    if isinstance(what, Items):
        found = _member(what, index.what)
        return Value(deps | found.deps, found.what)
    if isinstance(what, Many):
        return Value(deps | what.element.deps, what.element.what)
    if isinstance(what, Choice):
        found_all = [subscript(Value(what=o), index, heap, world) for o in what.options]
        return Value(deps, either(v.what for v in found_all))
    if isinstance(what, Class):
        return Value(deps, what)
    return Value(deps, what if isinstance(what, Unknown | External) else None)


def _member(items: Items, index: Thing | None) -> Value:
    if isinstance(index, Const):
        key = index.value
        if isinstance(key, slice) and items.kind != "dict":
            return Value(what=Items.of(list(items.values.values())[key], items.kind))
        if isinstance(key, int) and key < 0 and items.kind != "dict":
            key += len(items.values)
        try:
            return items.values.get(key, DATA)
        except TypeError:
            return DATA
    values = list(items.values.values())
    if not values or all(v.what is None for v in values):
        return DATA
    deps = frozenset[Any]().union(*(v.deps for v in values))
    if len(values) > CHOICE_LIMIT:
        return Value(deps, Unknown("dynamic-index"))
    found = either(v.what for v in values)
    # Even a single candidate is only perhaps the one: the index may be out of range.
    return Value(deps, found)


def many(values: list[Value]) -> Thing | None:
    """A container of an unknown number of members like `values`; plain data when none of them is of interest."""
    whats = [v.what.element.what if isinstance(v.what, Many) else v.what for v in values]
    return Many(Value(what=either(whats))) if any(holds_operators(w) for w in whats) else None


def parts(what: Thing | None, suffix: str = "", depth: int = 0) -> Iterator[tuple[str, Instance]]:
    """The objects in a value that is stored in an attribute, with what follows the attribute's name."""
    if isinstance(what, Instance):
        yield suffix, what
    elif isinstance(what, Items) and depth < 8:
        for key, value in what.values.items():
            yield from parts(value.what, f"{suffix}.{key}", depth + 1)
    elif isinstance(what, Many):
        yield from parts(what.element.what, f"{suffix}.*", depth + 1)
    elif isinstance(what, Choice):
        for option in what.options:
            yield from parts(option, suffix, depth + 1)
