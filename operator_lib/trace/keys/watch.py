"""What a closure was read from, so that it need not be read again while all of that is as it was."""

from __future__ import annotations

import hashlib
import types
from collections.abc import Mapping
from typing import Any

from operator_lib.trace.keys.contents import Contents

ABSENT: Any = object()
# Values of these types cannot change in place; functions and classes are watched by what they are made of.
_FIXED = (
    *(type(None), bool, int, float, complex, str, bytes, type, range),
    *(types.FunctionType, types.BuiltinFunctionType, types.ModuleType),
)


class Watch:
    """Looked at while a closure is read."""

    __slots__ = ("_cells", "_functions", "_items", "_kept", "_sizes", "_values")

    def __init__(self) -> None:
        self._items: dict[tuple[int, str], tuple[Mapping[str, Any], str, Any]] = {}
        self._cells: list[tuple[Any, Any]] = []
        self._functions: list[tuple[types.FunctionType, Any, Any, Any]] = []
        self._sizes: dict[int, tuple[Mapping[str, Any], int]] = {}
        self._values: dict[int, tuple[Any, bytes]] = {}
        self._kept: list[Any] = []

    def keep(self, thing: Any) -> None:
        """Its id stays its own as long as this is here."""
        self._kept.append(thing)

    def item(self, space: Mapping[str, Any], name: str) -> Any:
        """A name of a module or a class; `ABSENT` when there is none."""
        found = space.get(name, ABSENT)
        self._items[id(space), name] = space, name, found
        return found

    def size(self, space: Mapping[str, Any]) -> None:
        """Names may come and go."""
        self._sizes[id(space)] = space, len(space)

    def cell(self, cell: Any, value: Any) -> None:
        self._cells.append((cell, value))

    def function(self, function: types.FunctionType) -> None:
        self._functions.append((function, function.__code__, function.__defaults__, function.__kwdefaults__))

    def value(self, value: Any) -> None:
        """Something that may change in place."""
        if type(value) not in _FIXED:
            self._values[id(value)] = value, snapshot(value)

    def holds(self) -> bool:
        """Whether a second reading would find the same."""
        for space, name, value in self._items.values():
            if space.get(name, ABSENT) is not value:
                return False
        for space, size in self._sizes.values():
            if len(space) != size:
                return False
        for cell, value in self._cells:
            if _now(cell) is not value:
                return False
        for function, code, defaults, named in self._functions:
            if function.__code__ is not code or function.__defaults__ is not defaults:
                return False
            if function.__kwdefaults__ is not named:
                return False
        return all(snapshot(value) == before for value, before in self._values.values())


def _now(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return ABSENT


def snapshot(value: Any) -> bytes:
    """The content of a value in this process: code by identity, what cannot be told by its type."""
    contents = Contents(lambda thing, held: b"%d" % id(thing), refuse=False, paths={})
    contents.write(value)
    made = b"".join(contents.out)
    return made if len(made) < 64 else hashlib.sha256(made).digest()
