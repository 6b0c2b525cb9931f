"""What is known of a value while a program is compiled."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from operator_lib.autobatch.errors import Position
from operator_lib.autobatch.instructions import TensorType


class Alias:
    """Arrays (or dicts) that may be one object at run time; joined where control flow joins."""

    __slots__ = ("_other", "_parent", "_shared", "_stored", "_viewed")

    def __init__(self) -> None:
        self._parent: Alias | None = None
        self._stored: Position | None = None
        self._shared: Position | None = None
        self._viewed: Position | None = None
        self._other = ""

    def root(self) -> Alias:
        found = self
        while found._parent is not None:
            found = found._parent
        return found

    def join(self, other: Alias) -> None:
        one, two = self.root(), other.root()
        if one is not two:
            two._parent = one
            one._stored, one._shared = one._stored or two._stored, one._shared or two._shared
            one._viewed, one._other = one._viewed or two._viewed, one._other or two._other

    def note(
        self,
        *,
        stored: Position | None = None,
        shared: Position | None = None,
        viewed: Position | None = None,
        other: str = "",
    ) -> None:
        root = self.root()
        root._stored, root._shared = root._stored or stored, root._shared or shared
        root._viewed, root._other = root._viewed or viewed, root._other or other

    @property
    def stored(self) -> Position | None:
        """Where it is written to."""
        return self.root()._stored

    @property
    def shared(self) -> Position | None:
        """Where a second name for it begins."""
        return self.root()._shared

    @property
    def viewed(self) -> Position | None:
        """Where a view of it is kept."""
        return self.root()._viewed

    @property
    def other(self) -> str:
        """What an example may have instead, and that a copy stands for: nothing must be written to it."""
        return self.root()._other


@dataclass(frozen=True, slots=True)
class Const:
    """The same for all examples, and known now: a number, a function, a module, an array from outside."""

    value: Any


@dataclass(frozen=True, slots=True)
class Lane:
    """Differs from example to example."""

    type: TensorType
    name: str = ""
    alias: Alias | None = field(default=None, compare=False)
    view: bool = field(default=False, compare=False)
    boxed: bool = field(default=False, compare=False)
    """At run time it is the place of the array in a heap, because two names may hold it while it is written to."""

    def held(self) -> TensorType:
        """The type of what stands for it at run time."""
        return REFERENCE if self.boxed else self.type


OUTSIDE = "from outside, the same for all examples"
REFERENCE = TensorType(np.dtype(np.int64))


@dataclass(frozen=True, slots=True)
class Tup:
    """A fixed number of values: a tuple, named tuple, list, range, slice, zip or enumerate, as `kind` says."""

    items: tuple[Value, ...]
    kind: Any = tuple


@dataclass(frozen=True, slots=True)
class Rec:
    """A dict whose keys are known."""

    items: tuple[tuple[Any, Value], ...]
    alias: Alias = field(default_factory=Alias, compare=False)

    def get(self, key: Any) -> Value | None:
        return dict(self.items).get(key)


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a value that differs from example to example."""

    owner: Value
    name: str


@dataclass(frozen=True, slots=True)
class Maybe:
    """A variable that some paths have not assigned; `flag` says for each example."""

    inner: Value
    flag: Lane


Value = Const | Lane | Tup | Rec | Method | Maybe
BOOL = TensorType(np.dtype(np.bool_), (), weak=True)


def leaves(value: Value) -> Iterator[Lane]:
    """What differs from example to example, in order."""
    if isinstance(value, Lane):
        yield value
    elif isinstance(value, Tup):
        for item in value.items:
            yield from leaves(item)
    elif isinstance(value, Rec):
        for _, item in value.items:
            yield from leaves(item)
    elif isinstance(value, Method):
        yield from leaves(value.owner)
    elif isinstance(value, Maybe):
        yield from leaves(value.inner)
        yield value.flag


def rename(value: Value, name: str, boxes: bool = False) -> Value:
    """The same kind of value under the names that a variable's parts have: ``x``, ``x.0``, ``x.1.key``."""
    if isinstance(value, Lane):
        boxed = boxes and value.alias is not None and is_boxed(value.alias)
        return replace(value, name=name, boxed=boxed)
    if isinstance(value, Tup):
        items = (rename(item, f"{name}.{i}", boxes) for i, item in enumerate(value.items))
        return Tup(tuple(items), value.kind)
    if isinstance(value, Rec):
        pairs = tuple((key, rename(item, f"{name}.{key}", boxes)) for key, item in value.items)
        return Rec(pairs, value.alias)
    if isinstance(value, Method):
        return Method(rename(value.owner, name, boxes), value.name)
    if isinstance(value, Maybe):
        return Maybe(rename(value.inner, name, boxes), Lane(BOOL, f"{name}?"))
    return value


def opened(value: Value) -> Value:
    """A constant tuple or dict as a tuple or dict of constants."""
    if isinstance(value, Const):
        found = value.value
        if isinstance(found, tuple) or type(found) is list:
            return Tup(tuple(Const(item) for item in found), type(found))
        if type(found) is dict:
            alias = Alias()
            alias.note(other=OUTSIDE)
            return Rec(tuple((key, Const(item)) for key, item in found.items()), alias)
    return value


def is_boxed(alias: Alias) -> bool:
    """Written to while two names may hold it."""
    return alias.stored is not None and alias.shared is not None


def aliases(value: Value) -> Iterator[Alias]:
    """The classes of arrays and dicts inside."""
    if isinstance(value, Lane) and value.alias is not None:
        yield value.alias
    elif isinstance(value, Tup):
        for item in value.items:
            yield from aliases(item)
    elif isinstance(value, Rec):
        yield value.alias
        for _, item in value.items:
            yield from aliases(item)
    elif isinstance(value, Maybe):
        yield from aliases(value.inner)


def signature(value: Value) -> Any:
    """What two arguments must share for a function to be compiled once for both."""
    if isinstance(value, Const):
        return ("const", constant_key(value.value))
    if isinstance(value, Lane):
        return value.type
    if isinstance(value, Tup):
        return (value.kind, *map(signature, value.items))
    if isinstance(value, Rec):
        return ("dict", *((key, signature(item)) for key, item in value.items))
    if isinstance(value, Method):
        return ("method", value.name, signature(value.owner))
    return ("maybe", signature(value.inner))


def contents(value: Any, levels: int = 4) -> Any:
    """What is in a value that somebody may change, to be compared later; in what is in it, too, so many times."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    if levels and isinstance(value, dict):
        return tuple((constant_key(key), contents(item, levels - 1)) for key, item in value.items())
    if levels and isinstance(value, list | tuple | set):
        return type(value), tuple(contents(item, levels - 1) for item in value)
    return constant_key(value)


def constant_key(value: Any) -> Any:
    """Numbers, strings, slices, ranges and bound methods by what they are made of, all else by identity."""
    if isinstance(value, types.MethodType):
        return (types.MethodType, id(value.__self__), id(value.__func__))
    if isinstance(value, slice | range):
        return (type(value), *(constant_key(part) for part in (value.start, value.stop, value.step)))
    if isinstance(value, bool | int | float | complex | str | bytes | type(None) | np.generic):
        return (type(value), repr(value))
    return ("object", id(value))


def filled(value: Value, cells: Iterator[Any]) -> Any:
    """The user's value of that shape, its lanes taken from `cells` in their order."""
    if isinstance(value, Lane):
        return next(cells)
    if isinstance(value, Tup):
        items = [filled(item, cells) for item in value.items]
        return value.kind(*items) if hasattr(value.kind, "_fields") else value.kind(items)
    if isinstance(value, Rec):
        return {key: filled(item, cells) for key, item in value.items}
    assert isinstance(value, Const)
    return value.value
