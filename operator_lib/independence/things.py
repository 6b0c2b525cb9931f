"""What a proof knows of a value while it reads source, and what it holds against a program."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that keeps a call from being moved: what it does, where, and what the user can do about it."""

    does: str
    """``writes self.count``, ``changes the argument xs``, ``prints``, ``calls fetch, which is not known``."""
    file: str
    line: int
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.does} (line {self.line})" if self.line else self.does


class Cell:
    """Some data: made during the call, or (`external`) there before. `title` is what messages call it."""

    __slots__ = ("external", "fixed", "inside", "title")

    def __init__(self, title: str, external: bool) -> None:
        self.title = title
        self.external = external
        self.fixed = False
        """The proof holds only where this is a number, a text or a tuple: it was rebound by ``+=``."""
        self.inside: set[Cell] = set()


Cells = frozenset[Cell]
NONE: Cells = frozenset()


class Thing:
    """Base of what an expression can stand for."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Data(Thing):
    """Plain data that may be any of these cells; `fixed`: it surely cannot change."""

    cells: Cells = NONE
    fixed: bool = False
    kind: type | None = None
    """It surely is an object of this dataclass. Parts of it need not be: they are data without a kind."""


@dataclass(frozen=True, slots=True, eq=False)
class Known(Thing):
    """A live object: an operator, a function, a class, a module, a container of such."""

    value: Any
    title: str = ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Known) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


@dataclass(frozen=True, slots=True)
class Bound(Thing):
    """A function with the object that it is a method of."""

    function: Any
    me: Known


@dataclass(frozen=True, slots=True)
class Super(Thing):
    """``super()`` in a method of `cls`."""

    cls: type
    me: Known


@dataclass(frozen=True, slots=True)
class Property(Thing):
    """A property of an object: reading it runs this function."""

    function: Any
    me: Known


@dataclass(frozen=True, slots=True)
class Method(Thing):
    """A method of data, by its name."""

    of: Data
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Local(Thing):
    """A function or lambda written inside of the one that is read."""

    node: Any
    frame: Any


@dataclass(frozen=True, slots=True)
class Several(Thing):
    """One of these."""

    options: tuple[Thing, ...]


@dataclass(frozen=True, slots=True)
class Unclear(Thing):
    """Nothing is known; `why` completes "a value that"."""

    why: str


SIMPLE = Data(NONE, True)


def reach(cells: Iterable[Cell]) -> Cells:
    """The cells and all in them."""
    found = set(cells)
    left = list(found)
    while left:
        for inner in left.pop().inside:
            if inner not in found:
                found.add(inner)
                left.append(inner)
    return frozenset(found)


def join(one: Thing, other: Thing) -> Thing:
    """What is known of a value that is one of the two."""
    if one == other:
        return one
    if isinstance(one, Data) and isinstance(other, Data):
        return Data(one.cells | other.cells, one.fixed and other.fixed)
    if isinstance(one, Unclear):
        return one
    if isinstance(other, Unclear):
        return other
    options = tuple(dict.fromkeys([*_options(one), *_options(other)]))
    return Several(options) if len(options) <= 32 else Unclear("may be many things")


def _options(thing: Thing) -> tuple[Thing, ...]:
    return thing.options if isinstance(thing, Several) else (thing,)


@dataclass(slots=True)
class Frame:
    """One reading of one function: its variables, and where its other names are looked up."""

    env: dict[str, Thing]
    file: str
    globals: Mapping[str, Any]
    closure: Mapping[str, Any]
    """Cells of a live function, by name."""
    key: tuple[Any, ...]
    """The calls on the way here: what is made in another call is another object."""
    outer: Frame | None = None
    function: FunctionType | None = None
    returns: list[Thing] = field(default_factory=list[Thing])
    declared: frozenset[str] = frozenset()
    """Names that a ``global`` or ``nonlocal`` statement gives away."""
    weak: int = 0
    """In how many blocks that may be left in the middle: an assignment there may not be the last one."""


Node = ast.AST
