"""What a function of a `Graph` returns when its output is not simply handed on: `RouteTo`, `Map`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

V = TypeVar("V")
T = TypeVar("T")


class RouteTo(Generic[V, T]):
    """A value, and which of the declared successors it goes to; to none of them with ``[]``.

    As an annotation it may name them: ``RouteTo[int, Union[even, odd]]``.

    Attributes:
        value: the function's output. A list maps, as always.
        targets: functions, or their names.
    """

    __slots__ = ("targets", "value")

    def __init__(self, value: V, targets: Any) -> None:
        self.value = value
        self.targets: tuple[Any, ...] = tuple(targets) if isinstance(targets, list | tuple | set) else (targets,)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RouteTo):
            return NotImplemented
        return bool(self.value == other.value) and self.targets == other.targets

    __hash__ = None  # type: ignore[assignment]  # the value may be a list

    def __repr__(self) -> str:
        return f"RouteTo({self.value!r}, {[getattr(t, '__name__', t) for t in self.targets]})"


class Map(Generic[T]):
    """Items for which the successors are called one by one, at the same time; a plain list means the same.

    >>> Map(range(3))
    Map([0, 1, 2])
    """

    __slots__ = ("items",)

    def __init__(self, items: Iterable[T]) -> None:
        self.items = list(items)

    def __eq__(self, other: object) -> bool:
        return self.items == other.items if isinstance(other, Map) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it holds a list

    def __repr__(self) -> str:
        return f"Map({self.items!r})"
