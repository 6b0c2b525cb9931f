"""What names and attributes stand for, in live objects: nothing of theirs is run to find out."""

from __future__ import annotations

import builtins
import types
from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from operator_lib import tree
from operator_lib.containers import OperatorDict, OperatorList, Sequential
from operator_lib.core import Operator
from operator_lib.independence.known import METHODS
from operator_lib.independence.plain import FIXED, is_fixed, is_plain
from operator_lib.independence.things import SIMPLE, Bound, Cell, Data, Known, Property, Several, Super, Thing, Unclear
from operator_lib.independence.witness import (
    MISSING,
    IsData,
    IsDataThere,
    Same,
    SameCell,
    SameMembers,
    SameOfClass,
    of_class,
)

if TYPE_CHECKING:
    from operator_lib.independence.prover import Prover
    from operator_lib.independence.things import Frame

_CONTAINERS = (list, tuple, dict, OrderedDict)


def name(p: Prover, f: Frame, wanted: str) -> Thing:
    """A name that is no variable of the function."""
    frame: Frame | None = f
    while frame is not None:
        if wanted in frame.env and wanted not in frame.declared:
            return frame.env[wanted]
        if wanted in frame.closure:
            return _closed(p, frame.closure[wanted], wanted)
        frame = frame.outer
    if wanted in f.globals:
        return placed(p, f.globals, wanted, f"the global {wanted}")
    found = getattr(builtins, wanted, MISSING)
    p.watch(Same(f.globals, wanted, MISSING))
    return Known(found, wanted) if found is not MISSING else Unclear(f"is not there: {wanted}")


def _closed(p: Prover, cell: types.CellType, wanted: str) -> Thing:
    try:
        value = cell.cell_contents
    except ValueError:
        return Unclear("has no value yet")
    p.watch(SameCell(cell, value))
    return there(p, value, f"the variable {wanted} of an enclosing function")


def placed(p: Prover, space: Any, key: str, title: str) -> Thing:
    """What a namespace holds under a name."""
    value = space[key]
    if is_code(value):
        p.watch(Same(space, key, value))
        return code(p, value, title)
    if type(value) in FIXED or is_plain(value):
        cell = p.place((id(space), key), title)
        p.watch(IsData(space, key, cell))
        p.read(title)
        if "__name__" in space and "__spec__" in space:  # a module: what it holds now travels with the call
            p.shipped.setdefault((str(space["__name__"]), key))
        return _held(cell, value)
    p.watch(Same(space, key, value))
    return Known(value, title)


def there(p: Prover, value: Any, title: str) -> Thing:
    """An object to which something leads that cannot be changed unseen."""
    if is_code(value):
        return code(p, value, title)
    if type(value) in FIXED or is_plain(value):
        cell = p.place((id(value), ""), title)
        p.watch(IsDataThere(value, cell))
        p.read(title)
        p.apart = p.apart or type(value) not in FIXED
        return _held(cell, value)
    return Known(value, title)


def _held(cell: Cell, value: Any) -> Data:
    """Data that was there before. A number stays one, or the proof is made anew."""
    if is_fixed(value):
        cell.fixed = True
        return SIMPLE
    return Data(frozenset([cell]))


def is_code(value: Any) -> bool:
    """Whether it is something that runs, or a container with such things in it."""
    kind = type(value)
    if kind in FIXED:
        return False
    if tree.is_operator(value) or kind in (types.FunctionType, types.BuiltinFunctionType, types.ModuleType):
        return True
    if isinstance(value, type):
        return True
    return kind in _CONTAINERS and 0 < len(value) <= 1000 and any(tree.is_operator(one) for one in members(value))


def members(value: Any) -> Iterable[Any]:
    """What a built-in container holds; of a dict the values."""
    return dict.values(value) if isinstance(value, dict) else value


def code(p: Prover, value: Any, title: str) -> Thing:
    """Something that runs; of a container it is remembered what it held."""
    if type(value) in _CONTAINERS:
        p.watch(SameMembers(value, tuple(members(value))))
    return Known(value, title)


def elements(p: Prover, container: Any, title: str) -> Thing:
    """Any member of a container of operators."""
    found = [there(p, one, f"{title}[{key!r}]") for key, one in _items(container)]
    options = tuple(dict.fromkeys(found))
    return options[0] if len(options) == 1 else Several(options)


def _items(container: Any) -> Iterable[tuple[Any, Any]]:
    return dict.items(container) if isinstance(container, dict) else enumerate(container)


def member(p: Prover, container: Any, key: Any, title: str) -> Thing:
    """One member of a container of operators."""
    try:
        return there(p, container[key], f"{title}[{key!r}]")
    except (KeyError, IndexError, TypeError):
        return Unclear("is not there")


def attribute(p: Prover, of: Known, wanted: str) -> Thing:
    """``of.wanted``, when no code of anybody's runs to find it."""
    value = of.value
    title = f"{of.title}.{wanted}" if of.title else wanted
    if isinstance(value, types.ModuleType):
        if wanted in value.__dict__:
            return placed(p, value.__dict__, wanted, title)
        return Unclear(f"is not in {value.__name__}")
    if isinstance(value, type):
        return _of_class(p, value, wanted, title)
    cls = type(value)
    if wanted == "__class__" or _asks(cls):
        return Unclear("is looked up by code of its class")
    raw = of_class(cls, wanted)
    space = tree.state(value)
    if raw is MISSING and tree.is_module(value) and wanted in space.get("_modules", ()):
        return placed(p, space["_modules"], wanted, title)
    if isinstance(raw, property):
        p.watch(SameOfClass(cls, wanted, raw))
        return Property(raw.fget, of) if isinstance(raw.fget, types.FunctionType) else Unclear("is a property")
    if wanted in space and not (raw is not MISSING and hasattr(type(raw), "__set__")):
        if raw is not MISSING and hasattr(type(raw), "__get__") and not isinstance(raw, types.FunctionType):
            return Unclear("is a descriptor")
        return placed(p, space, wanted, title)
    if raw is MISSING:
        return Unclear(f"has no attribute {wanted}")
    p.watch(SameOfClass(cls, wanted, raw))
    p.watch(Same(space, wanted, MISSING))
    return _bound(p, of, cls, raw, title)


def inherited(p: Prover, of: Super, wanted: str) -> Thing:
    """``super().wanted``, a method."""
    order = type(of.me.value).__mro__
    for one in order[order.index(of.cls) + 1 :]:
        if wanted in one.__dict__:
            raw = one.__dict__[wanted]
            p.watch(SameOfClass(one, wanted, raw))
            p.apart = p.apart or not (isinstance(raw, types.FunctionType) and _as_written(one, raw))
            return Bound(raw, of.me) if isinstance(raw, types.FunctionType) else Unclear("is found by super()")
    return Unclear(f"has no attribute {wanted}")


def method_of(p: Prover, of: Data, wanted: str) -> types.FunctionType | None:
    """A method that the user wrote for a dataclass; None where it is one of data, or not known."""
    kind = of.kind
    raw = of_class(kind, wanted) if kind is not None and wanted not in METHODS else None
    if kind is None or not isinstance(raw, types.FunctionType):
        return None
    p.watch(SameOfClass(kind, wanted, raw))
    p.apart = p.apart or not _as_written(kind, raw)
    return raw


def _asks(cls: type) -> bool:
    """Whether the class decides itself what its attributes are."""
    if cls.__getattribute__ is not object.__getattribute__:
        return True
    found = of_class(cls, "__getattr__")
    return found is not MISSING and not tree.is_module(cls)


def _bound(p: Prover, of: Known, cls: type, raw: Any, title: str) -> Thing:
    if isinstance(raw, types.FunctionType):
        p.apart = p.apart or not _as_written(cls, raw)
        return Bound(raw, of)
    p.apart = p.apart or not isinstance(raw, staticmethod | classmethod)  # another process has what is written there
    if isinstance(raw, staticmethod):
        return there(p, raw.__func__, title)
    if isinstance(raw, classmethod) and isinstance(raw.__func__, types.FunctionType):
        return Bound(raw.__func__, Known(cls, cls.__name__))
    if isinstance(raw, Operator) or not hasattr(type(raw), "__get__"):
        return there(p, raw, title)
    return Unclear("is a descriptor")


def _as_written(cls: type, method: types.FunctionType) -> bool:
    """Whether the method is the one of the class statement: an import elsewhere gives the same."""
    names = {f"{one.__module__}.{one.__qualname__}.{method.__name__}" for one in cls.__mro__}
    return f"{method.__module__}.{method.__qualname__}" in names


def _of_class(p: Prover, cls: type, wanted: str, title: str) -> Thing:
    if type(cls) is not type and of_class(type(cls), wanted) is not MISSING and wanted not in ("__name__",):
        return Unclear("is looked up in a metaclass")
    raw = of_class(cls, wanted)
    if raw is MISSING:
        return Unclear(f"has no attribute {wanted}")
    p.watch(SameOfClass(cls, wanted, raw))
    p.apart = True
    if isinstance(raw, staticmethod):
        return there(p, raw.__func__, title)
    if isinstance(raw, classmethod) and isinstance(raw.__func__, types.FunctionType):
        return Bound(raw.__func__, Known(cls, cls.__name__))
    return (
        there(p, raw, title)
        if isinstance(raw, types.FunctionType) or not hasattr(type(raw), "__get__")
        else Unclear("is a descriptor")
    )


def cells_of(thing: Thing) -> frozenset[Cell]:
    """The data that a value may be."""
    if isinstance(thing, Data):
        return thing.cells
    if isinstance(thing, Several):
        return frozenset().union(*(cells_of(one) for one in thing.options))
    return frozenset()


def opened(p: Prover, of: Thing) -> Thing:
    """For one of our own containers of operators, the container in it."""
    if isinstance(of, Known) and type(of.value) in (OperatorList, OperatorDict, Sequential):
        space = tree.state(of.value)
        wanted = next((one for one in ("items", "by_name", "steps") if one in space), None)
        if wanted is not None:
            return placed(p, space, wanted, of.title)
    return of
