"""What a proof was made from, and whether that is still so: it is asked again before every use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import CellType, CodeType, FunctionType
from typing import Any

from operator_lib.independence.plain import is_fixed, is_plain
from operator_lib.independence.things import Cell

MISSING = object()


def of_class(cls: type, name: str) -> Any:
    """The class attribute as it is written down, without asking any descriptor."""
    for one in cls.__mro__:
        if name in one.__dict__:
            return one.__dict__[name]
    return MISSING


@dataclass(frozen=True, slots=True)
class Same:
    """A name in a namespace stands for this very object."""

    space: Mapping[str, Any]
    name: str
    value: Any

    def holds(self) -> bool:
        return self.space.get(self.name, MISSING) is self.value


@dataclass(frozen=True, slots=True)
class SameOfClass:
    """An attribute of a class is this very object."""

    cls: type
    name: str
    value: Any

    def holds(self) -> bool:
        return of_class(self.cls, self.name) is self.value


@dataclass(frozen=True, slots=True)
class SameMembers:
    """A container holds these very objects."""

    container: Any
    members: tuple[Any, ...]

    def holds(self) -> bool:
        now = tuple(self.container.values() if isinstance(self.container, dict) else self.container)
        return len(now) == len(self.members) and all(a is b for a, b in zip(now, self.members, strict=True))


@dataclass(frozen=True, slots=True)
class SameCell:
    """A variable of an enclosing function holds this very object."""

    cell: CellType
    value: Any

    def holds(self) -> bool:
        try:
            return self.cell.cell_contents is self.value
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class IsData:
    """What a place holds is plain data, whatever it is."""

    space: Mapping[str, Any]
    name: str
    cell: Cell

    def holds(self) -> bool:
        value = self.space.get(self.name, MISSING)
        return is_fixed(value) if self.cell.fixed else is_plain(value)


@dataclass(frozen=True, slots=True)
class IsDataThere:
    """The same for an object that nothing but its own place refers to: a default, a class attribute, a variable."""

    value: Any
    cell: Cell

    def holds(self) -> bool:
        return is_fixed(self.value) if self.cell.fixed else is_plain(self.value)


@dataclass(frozen=True, slots=True)
class SameFunction:
    """A function has still the code and the defaults that were read."""

    function: FunctionType
    code: CodeType
    defaults: Any

    def holds(self) -> bool:
        return self.function.__code__ is self.code and self.function.__defaults__ is self.defaults


Witness = SameFunction | Same | SameOfClass | SameMembers | SameCell | IsData | IsDataThere
