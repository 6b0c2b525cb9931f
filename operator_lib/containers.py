"""Ready-made containers, as in ``torch.nn``: `Sequential`, `OperatorList`, `OperatorDict`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, MutableSequence
from typing import Any

from operator_lib.core import Operator


class Sequential(Operator):
    """Call operators one after another, each on the output of the one before.

    >>> from operator_lib import operator
    >>> Sequential(operator(lambda x: x + 1), operator(lambda x: x * 10))(1)
    20
    """

    def __init__(self, *steps: Any) -> None:
        self.steps = list(steps)

    def forward(self, x: Any) -> Any:
        for step in self.steps:
            x = step(x)
        return x

    def __len__(self) -> int:
        return len(self.steps)

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, index: int | slice) -> Any:
        return Sequential(*self.steps[index]) if isinstance(index, slice) else self.steps[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.steps)


class OperatorList(Operator, MutableSequence[Any]):
    """A list of operators; its elements are children. Not callable itself."""

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self.items = list(items)

    def __getitem__(self, index: Any) -> Any:
        return OperatorList(self.items[index]) if isinstance(index, slice) else self.items[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self.items[index] = value

    def __delitem__(self, index: Any) -> None:
        del self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __bool__(self) -> bool:
        return True

    def insert(self, index: int, value: Any) -> None:
        self.items.insert(index, value)


class OperatorDict(Operator, MutableMapping[str, Any]):
    """A dict of operators; its values are children. Not callable itself."""

    def __init__(self, items: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        self.by_name = dict(items)

    def __getitem__(self, key: str) -> Any:
        return self.by_name[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.by_name[key] = value

    def __delitem__(self, key: str) -> None:
        del self.by_name[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_name)

    def __len__(self) -> int:
        return len(self.by_name)

    def __bool__(self) -> bool:
        return True
