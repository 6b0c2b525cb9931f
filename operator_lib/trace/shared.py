"""State that belongs to no single object: names of modules and attributes of classes."""

from __future__ import annotations

import os

from operator_lib.trace.frame import Frame, joined
from operator_lib.trace.objects import READ, held, titled
from operator_lib.trace.reader import Reader
from operator_lib.trace.resolve import MISSING, stored
from operator_lib.trace.source import SourceFile
from operator_lib.trace.values import (
    Class,
    External,
    ForeignObject,
    Function,
    FunctionOperator,
    Instance,
    Maybe,
    Module,
    Place,
    Thing,
    Value,
    either,
)  # fmt: skip

_MODULES, _CLASSES = -2, -3
_FIXED = Function | Class | Module | FunctionOperator


def global_place(file: SourceFile, name: str) -> Place:
    """The place of a module's variable, seen from inside."""
    return _MODULES, f"{os.path.basename(file.filename).removesuffix('.py')}.{name}"


def module_place(module: Module, name: str) -> Place:
    """The place of a module's variable, seen through the module."""
    return _MODULES, f"{module.name.rpartition('.')[2]}.{name}"


def class_place(name: str) -> Place:
    """The place of an attribute of any class: which class of a hierarchy holds it does not matter."""
    return _CLASSES, name


def read_global(r: Reader, f: Frame, name: str, what: Thing | None) -> Value:
    """A name that is bound in no function around."""
    if _fixed(what):
        return Value(what=what)
    return _read(r, f, global_place(f.file, name), what)


def read_module(r: Reader, f: Frame, module: Module, name: str, what: Thing | None) -> Value:
    """``module.name``."""
    if _fixed(what):
        return Value(what=what)
    return _read(r, f, module_place(module, name), what)


def _fixed(what: Thing | None) -> bool:
    """Whether it is a function, class or module; an object made by one ends with ``()`` where it is only read."""
    if isinstance(what, External):
        return not isinstance(what, ForeignObject) and not what.name.endswith("()")
    return isinstance(what, _FIXED)


def _read(r: Reader, f: Frame, place: Place, what: Thing | None) -> Value:
    f.touched.append((place, READ))
    written = f.env.heap.get(place)
    before = Value(what=what, cells=frozenset() if isinstance(what, Instance) else held(r, what, None, place, place[1]))
    if written is None:
        return before
    if isinstance(written.what, Maybe):
        cells = (written.cells or frozenset()) | (before.cells or frozenset())
        return Value(written.deps, either((written.what.what, what)), cells)
    return written


def read_class(r: Reader, f: Frame, of: Instance | None, name: str, found: Value) -> Value:
    """An attribute that was not written on the object itself: the one that it had before, or that of its class."""
    what = found.what
    if isinstance(what, _FIXED):
        return found
    if found.cells is not None and of is not None:
        return found
    place, raw = class_place(name), None
    own = False
    if of is not None and of.live is not None:
        raw = stored(of.live, name)
        own = raw is not MISSING
        if not own:
            raw = next((c.__dict__[name] for c in type(of.live).__mro__ if name in c.__dict__), None)
    at = (of.identity, name) if own and of is not None else place
    cells = held(r, what, raw, at, _title(of, name))
    if own:
        return Value(found.deps, what, cells | (found.cells or frozenset()), found.part)
    f.touched.append((place, READ))
    written = f.env.heap.get(place)
    if written is None:
        return Value(found.deps, what, cells | (found.cells or frozenset()), found.part)
    return joined(Value(found.deps, what, cells, found.part), Value(written.deps, _plain(written), written.cells))


def _plain(value: Value) -> Thing | None:
    return value.what.what if isinstance(value.what, Maybe) else value.what


def _title(of: Instance | None, name: str) -> str:
    return (titled(of, name) if of is not None else "") or name
