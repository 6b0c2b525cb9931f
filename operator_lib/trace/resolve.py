"""From a thing to its parts: attribute, member of a container, what a call runs. Evaluates nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from operator_lib import tree
from operator_lib.trace.declaration import Declaration
from operator_lib.trace.foreign import differentiable
from operator_lib.trace.frame import Heap
from operator_lib.trace.graph import Draft, expanded, labelled
from operator_lib.trace.hints import of_attribute
from operator_lib.trace.live import LiveClass, live_class, what_is
from operator_lib.trace.static import StaticClass
from operator_lib.trace.values import (
    DATA,
    KEPT,
    Attributes,
    Choice,
    Class,
    Const,
    Dep,
    Deps,
    External,
    Foreign,
    Function,
    FunctionOperator,
    Instance,
    Items,
    Many,
    Maybe,
    Member,
    Method,
    Module,
    Partial,
    Place,
    Remote,
    Super,
    Thing,
    Unknown,
    Value,
    either,
    holds_operators,
)  # fmt: skip
from operator_lib.trace.world import World

# Attributes that hold the members of our own containers.
CONTENTS = {"Sequential": "steps", "OperatorList": "items", "OperatorDict": "by_name"}
MISSING = object()
CHOICE_LIMIT = 64
# Of something that is unknown for these reasons every attribute may be an operator.
_INHERITED = ("loaded", "dynamic-import", "dynamic-name")


class Property(Thing):
    """An attribute that is computed by a function when it is read."""

    __slots__ = ("function",)

    def __init__(self, function: Thing | None) -> None:
        self.function = function


def attribute(of: Value, name: str, heap: Heap, world: World) -> Value:
    """The value of ``of.name``."""
    what = of.what
    if isinstance(what, Instance):
        if name == "__dict__":
            return Value(of.deps, Attributes(what))
        key = (what.identity, name)
        written = heap.get(key) or world.heap.get(key)
        if written is None:
            return Value(of.deps, _of_instance(what, name, world))
        if not isinstance(written.what, Maybe):
            return Value(of.deps | written.deps, written.what, written.cells, written.part) if of.deps else written
        before = _of_instance(what, name, world)
        options = (written.what.what, before) if not isinstance(before, Unknown) else (written.what.what,)
        return Value(written.deps, either(options), written.cells, written.part)
    if isinstance(what, Choice):
        containers = [o for o in what.options if isinstance(o, Items | Many)]
        found = [attribute(Value(what=o), name, heap, world) for o in what.options if o not in containers]
        if containers and all(v.what is None or type(v.what) is External for v in found):
            members = [m for o in containers for m in ([o.element] if isinstance(o, Many) else o.values.values())]
            return Value(of.deps, Method(Value(of.deps, many(members), of.cells, of.part), name))
        found = [attribute(Value(what=o, cells=of.cells, part=of.part), name, heap, world) for o in what.options]
        deps = of.deps.union(*(v.deps for v in found))
        return Value(deps, either(v.what for v in found))
    return Value(of.deps, _of_other(of, what, name, world))


def _of_other(of: Value, what: Thing | None, name: str, world: World) -> Thing | None:
    if isinstance(what, Module):
        return what.lookup(name)
    if isinstance(what, Foreign) and isinstance(what.raw, type):
        what = live_class(what.raw, world)
    if name == "apply" and isinstance(what, LiveClass) and (forward := differentiable(what)) is not None:
        return forward
    if isinstance(what, External):
        return External(f"{what.name}.{name}")
    if isinstance(what, Class):
        member = what.find(name)
        return _bound(member, None, what, name) if member is not None else External(f"{what.name}.{name}")
    if isinstance(what, Super):
        member = what.instance.cls.find(name, what.after)
        return _bound(member, what.instance, what.instance.cls, name) if member is not None else External(name)
    if isinstance(what, Items) and name in what.names:
        return what.values[what.names.index(name)].what
    member = what.cls.find(name) if isinstance(what, Items) and what.cls is not None else None
    if member is not None and isinstance(member.what, Function):
        return member.what.bind(what, member.owner)
    if isinstance(what, Items | Many | Function | Partial | Attributes) or what is None:
        return Method(of, name)
    if isinstance(what, Method) and isinstance(what.of.what, Remote):
        return Method(what.of, f"{what.name}.{name}")
    if isinstance(what, Unknown) and what.reason in _INHERITED:
        return what
    return Method(of, name) if isinstance(what, Const) else None


def _of_instance(what: Instance, name: str, world: World) -> Thing | None:
    if isinstance(what, Remote):
        return Method(Value(what=what), name)
    if what.live is not None and not isinstance(what, FunctionOperator):
        raw = stored(what.live, name)
        if raw is not MISSING:
            if not what.operator and type(raw) in (dict, list) and not raw and world.reads(type(what.live).__module__):
                return External(f"empty {name}")  # a package fills its own: what is read of it does not
            return what_is(raw, world)
    member = what.cls.find(name)
    if member is not None:
        return _bound(member, what, what.cls, name)
    if isinstance(what, FunctionOperator):
        return Method(Value(what=what), name)
    if not what.operator and what.live is not None:
        return External(name)
    said = of_attribute(what.cls, name, world)
    if said is not None:
        return said
    never = isinstance(what.cls, StaticClass if what.live is None else LiveClass) and not what.cls.sets(name)
    return Unknown("absent" if never else "attribute")


def known_names(what: Instance, prefix: str) -> list[str]:
    """The attributes of a live object that begin with `prefix`, where that leaves only a few."""
    if what.live is None or not prefix:
        return []
    own = [name for name, _ in tree.attributes(what.live)] + [name for name, _ in tree.child_places(what.live)]
    names = dict.fromkeys([*own, *dir(type(what.live))])
    found = [name for name in names if name.startswith(prefix) and "." not in name]
    return found if len(found) <= CHOICE_LIMIT else []


def stored(obj: Any, name: str) -> Any:
    if tree.is_module(obj):
        for table in ("_modules", "_parameters", "_buffers"):
            if name in obj.__dict__.get(table, ()):
                return obj.__dict__[table][name]
    inside = tree.state(obj)
    if name in inside:
        return inside[name]
    for cls in type(obj).__mro__:
        if "__slots__" in cls.__dict__ and type(cls.__dict__.get(name)).__name__ == "member_descriptor":
            found = tree.slotted(obj, name)
            return MISSING if found is tree.MISSING else found
    return MISSING


# Methods of a class that make an object of it somewhere, and call that.
ELSEWHERE = ("run", "push")


def _bound(member: Member, instance: Instance | None, cls: Class, name: str) -> Thing | None:
    what = member.what
    if isinstance(what, Choice) and member.how != "value":
        return either(_bound(Member(member.how, o, member.owner), instance, cls, name) for o in what.options)
    if member.how == "machinery":
        if instance is None and name in ELSEWHERE:
            return Method(Value(what=cls), name)
        return Method(Value(what=instance), name) if instance is not None else what
    if member.how == "class" and isinstance(what, Function):
        return what.bind(cls, member.owner)
    if member.how == "property" and instance is not None:
        return Property(what.bind(instance, member.owner) if isinstance(what, Function) else what)
    if isinstance(what, Instance) and not what.operator and what.cls.find("__get__") is not None:
        return Unknown("descriptor")
    if member.how != "method":
        return what
    if isinstance(what, Function):
        return what.bind(instance, member.owner)
    if instance is not None and isinstance(what, Partial):
        return Partial(what.callee, (Value(what=instance), *what.positional), what.keywords)
    if instance is not None and isinstance(what, FunctionOperator):
        return Partial(what, (Value(what=instance),), {})
    return what


def entry(what: Instance, world: World | None = None) -> Thing | None:
    """What runs when the object is called."""
    if isinstance(what, FunctionOperator):
        return what.function
    for name in ("__call__", "forward"):
        if name == "forward" and (replaced := _replaced(what, world)) is not None:
            return replaced
        member = what.cls.find(name)
        if member is not None and member.how != "machinery":
            return _bound(member, what, what.cls, name)
    named = what.cls.find("_operator_entry") if isinstance(what.cls, StaticClass) else None
    if named is not None and isinstance(named.what, Const):  # a base that makes `forward` of another method
        member = what.cls.find(named.what.value)
        return _bound(member, what, what.cls, named.what.value) if member is not None else None
    return None


def _replaced(what: Instance, world: World | None) -> Thing | None:
    """The `forward` that was put on the object itself."""
    if what.forward is not None or what.live is None or world is None:
        return what.forward
    raw = stored(what.live, "forward")
    return what_is(raw, world) if raw is not MISSING else None


def contents(what: Instance, heap: Heap, world: World) -> Thing | None:
    """The members of an operator that is a container, else None."""
    if what.live is not None and tree.is_module(what.live):
        modules = what.live.__dict__["_modules"]
        values = [Value(what=what_is(m, world)) for m in modules.values()]
        named = "Dict" in type(what.live).__name__
        return Items("dict", dict(zip(modules, values, strict=False))) if named else Items.of(values)
    name = CONTENTS.get(what.cls.container)
    if name is not None:
        return now(attribute(Value(what=what), name, heap, world), heap).what
    return None


def iterate(of: Value, heap: Heap, world: World) -> list[Value] | Value:
    """The members one by one where they are known, else one value that stands for each of them."""
    what = of.what
    if isinstance(what, Instance):
        what = contents(what, heap, world)
        if isinstance(what, Items) and not what.values and _is_module(of.what):
            return Value(of.deps, _NO_MEMBER)
    if isinstance(what, Items):
        if what.kind == "dict":
            return [Value(of.deps, Const(k)) for k in what.values]
        own = own_deps(of, what)
        return [_inside(of, v, own) for v in what.values.values()]
    element = DATA
    if isinstance(what, Many):
        element = what.element
    elif isinstance(what, Unknown):
        element = Value(what=what)
    elif isinstance(what, Const) and isinstance(what.value, str) and 0 < len(what.value) <= 64:
        return [Value(of.deps, Const(letter)) for letter in what.value]
    elif isinstance(what, Choice):
        found = [iterate(Value(what=o), heap, world) for o in what.options]
        members = [v for some in found for v in (some if isinstance(some, list) else [some])]
        element = Value(of.deps.union(*(v.deps for v in members)), either(v.what for v in members))
    return _element(of, of.deps | element.deps, element.what)


def own_deps(of: Value, items: Items) -> Deps:
    """Where a container comes from, without what only its members come from."""
    members = {d[0] for v in items.values.values() for d in expanded(v.deps)}
    if not members:
        return of.deps
    own = [d for d in expanded(of.deps) if d[0] not in members]
    return frozenset(own).union(*(_alone(d) for d in of.deps))


def _alone(dep: Dep) -> Deps:
    draft = dep[0]
    if not draft.gone or draft.through:
        return frozenset()
    if draft.alone is None:
        draft.alone = Draft(-1, "code", "", draft.frame, draft.parent, None)
        draft.alone.gone = True
    return frozenset({(draft.alone, dep[1])})


def _inside(of: Value, member: Value, own: Deps) -> Value:
    """A known member of a container."""
    label = next((n for _, n in of.deps if n), "")
    deps = own | (labelled(member.deps, label) if label else member.deps)
    if member.cells is None and of.cells and not isinstance(member.what, Const):
        return Value(deps, member.what, of.cells, True)
    return Value(deps, member.what, member.cells, member.part)


def _element(of: Value, deps: Deps, what: Thing | None) -> Value:
    """Some member of a container of which the members are not known one by one."""
    if not of.cells:
        return Value(deps, what, of.cells, of.part)
    return Value(deps, what, of.cells, True)


def subscript(of: Value, index: Value, heap: Heap, world: World) -> Value:
    """The value of ``of[index]``."""
    what = of.what
    deps = of.deps | index.deps
    if isinstance(what, Instance):
        what = contents(what, heap, world) or what
    if isinstance(what, Items):
        found = _member(what, index.what)
        if found is DATA and _is_module(of.what):
            return Value(deps, _NO_MEMBER)
        if isinstance(index.what, Const) and found is not DATA and not isinstance(index.what.value, slice):
            found = _inside(of, found, own_deps(of, what))
            return Value(found.deps | index.deps, found.what, found.cells, found.part)
        return _some(of, what, deps | found.deps, found.what)
    if isinstance(what, Many):
        inside = what.element.what  # even if all are alike: the index may be out of range
        inside = Choice((inside,)) if isinstance(inside, Instance) else inside
        return _element(of, deps | what.element.deps, inside)
    if isinstance(what, Choice):
        found_all = [subscript(Value(what=o), index, heap, world) for o in what.options]
        return _element(of, deps.union(*(v.deps for v in found_all)), either(v.what for v in found_all))
    if isinstance(what, Class):
        getter = what.find("__class_getitem__")
        return Value(deps, Unknown("dynamic") if getter is not None and isinstance(getter.what, Function) else what)
    if isinstance(what, Attributes) and isinstance(index.what, Const):
        return attribute(Value(deps, what.instance), str(index.what.value), heap, world)
    if isinstance(what, Const):
        return Value(deps, External("item of a constant"))
    return _element(of, deps, what if isinstance(what, Unknown | External) else None)


def _some(of: Value, items: Items, deps: Deps, what: Thing | None) -> Value:
    """A member of which it is not known which one, or some of them."""
    cells = [v.cells for v in items.values.values() if v.cells]
    found = _element(of, deps, what)
    return Value(deps, what, (found.cells or frozenset[Place]()).union(*cells), True) if cells else found


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


# What a module does not hold cannot be called: modules are given their members when they are made.
_NO_MEMBER = External("no member")


def _is_module(what: Thing | None) -> bool:
    return isinstance(what, Instance) and what.live is not None and tree.is_module(what.live)


def many(values: list[Value], kind: str = "list") -> Thing | None:
    """A container of an unknown number of members like `values`; plain data when none of them is of interest."""
    whats = [v.what.element.what if isinstance(v.what, Many) else v.what for v in values]
    return Many(Value(what=either(whats)), kind) if any(holds_operators(w) for w in whats) else None


def now(value: Value, heap: Heap, depth: int = 0) -> Value:
    """A value with what has been put into its objects since they were made."""
    cells = () if value.part else value.cells or ()  # of a part, they are those of what it is in
    found = [heap[c].what for c in cells if c in heap and heap[c].what is not KEPT]
    what = found[0] if found else value.what
    if not isinstance(what, Items) or depth > 8:
        return value if what is value.what else Value(value.deps, what)
    members = {k: now(v, heap, depth + 1) for k, v in what.values.items()}
    return Value(value.deps, Items(what.kind, members))


def parts(what: Thing | None, suffix: str = "", depth: int = 0) -> Iterator[tuple[str, Instance]]:
    """The objects in a value that is stored in an attribute, with what follows the attribute's name."""
    if isinstance(what, Instance):
        yield suffix, what
    elif isinstance(what, Items) and what.kind != "deque" and depth < 8:
        for key, value in what.values.items():
            yield from parts(value.what, f"{suffix}.{key}", depth + 1)
    elif isinstance(what, Many) and what.kind != "set":
        yield from parts(what.element.what, f"{suffix}.*", depth + 1)
    elif isinstance(what, Choice):
        for option in what.options:
            yield from parts(option, suffix, depth + 1)
    elif isinstance(what, Declaration):
        yield from ((f"{suffix}.{name}", op) for name, op in what.functions.items())
