"""What a caller gives, and gets: nested values with a batch axis ↔ columns of lanes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from operator_lib.autobatch.instructions import TensorType
from operator_lib.autobatch.typing.joins import dtype_name
from operator_lib.autobatch.typing.values import Const, Lane, Rec, Tup, Value

WEAK: dict[type, TensorType] = {kind: TensorType(np.dtype(kind), (), weak=True) for kind in (bool, int, float, complex)}


@dataclass(slots=True)
class Leaf:
    """One array of an argument."""

    path: str
    array: Any
    type: TensorType


class Reader:
    """Takes arguments apart: `values` for the compiler, `leaves` for the machine."""

    def __init__(self) -> None:
        self.leaves: list[Leaf] = []

    def read(self, value: Any, path: str) -> Value:
        """What is known of an argument. Tuples and dicts are taken apart; functions, strings, None are constants."""
        kind = type(value)
        if kind in WEAK:
            return self._leaf(path, np.asarray([value], WEAK[kind].dtype), WEAK[kind])
        if isinstance(value, tuple):
            items = tuple(self.read(item, f"{path}[{number}]") for number, item in enumerate(value))
            return Tup(items, kind)
        if isinstance(value, Mapping):
            return Rec(tuple((key, self.read(item, f"{path}[{key!r}]")) for key, item in value.items()))
        if isinstance(value, list):
            value = np.asarray(value)
        if hasattr(value, "dtype") and hasattr(value, "shape"):
            array = value if value.shape else value.reshape((1,))
            dtype = dtype_name(array.dtype)
            if dtype.kind not in "biufc":
                raise TypeError(f"argument {path} is an array of {dtype}: only numbers can be batched")
            return self._leaf(path, array, TensorType(dtype, tuple(int(size) for size in array.shape[1:])))
        return Const(value)

    def _leaf(self, path: str, array: Any, kind: TensorType) -> Lane:
        self.leaves.append(Leaf(path, array, kind))
        return Lane(kind, path)

    def count(self) -> int:
        """The batch size: all leading axes are equal, or 1; 1 when there is no array at all."""
        sizes: dict[int, str] = {}
        for leaf in self.leaves:
            sizes.setdefault(int(leaf.array.shape[0]), leaf.path)
        others = {size: path for size, path in sizes.items() if size != 1}
        if len(others) > 1:
            told = " and ".join(f"{size} in {path}" for size, path in others.items())
            raise ValueError(
                f"Inconsistent batch sizes: {told}. "
                "The first axis of every argument is the batch; sizes are equal, or 1."
            )
        return next(iter(others), 1)


def results(value: Value, columns: Iterator[Any], full: Callable[[Any], Any]) -> Any:
    """The nested result from columns; what is the same for all is repeated by `full`."""
    if isinstance(value, Lane):
        return next(columns)
    if isinstance(value, Tup):
        items = [results(item, columns, full) for item in value.items]
        if value.kind in (tuple, list):
            return value.kind(items)
        return value.kind(*items) if hasattr(value.kind, "_fields") else tuple(items)
    if isinstance(value, Rec):
        return {key: results(item, columns, full) for key, item in value.items}
    assert isinstance(value, Const)
    found = value.value
    if isinstance(found, tuple | list):
        parts = [results(Const(item), columns, full) for item in found]
        return type(found)(*parts) if hasattr(found, "_fields") else type(found)(parts)
    if isinstance(found, dict):
        return {key: results(Const(item), columns, full) for key, item in found.items()}
    if isinstance(found, bool | int | float | complex | np.generic | np.ndarray):
        return full(found)
    return found


def example(value: Any, place: int) -> Any:
    """The argument of one lane: what the undecorated function gets."""
    if isinstance(value, tuple):
        items = [example(item, place) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if isinstance(value, Mapping):
        return {key: example(item, place) for key, item in value.items()}
    if isinstance(value, list):
        return example(np.asarray(value), place)
    if hasattr(value, "dtype") and hasattr(value, "shape") and value.shape:
        found = value[0 if value.shape[0] == 1 else place]
        return found.copy() if isinstance(found, np.ndarray) else found
    return value


def gathered(values: list[Any]) -> Any:
    """Results of single examples as one nested result with a batch axis."""
    first = values[0]
    if isinstance(first, tuple):
        items = [gathered([value[number] for value in values]) for number in range(len(first))]
        return type(first)(*items) if hasattr(first, "_fields") else tuple(items)
    if isinstance(first, Mapping):
        return {key: gathered([value[key] for value in values]) for key in first}
    if first is None:
        return None
    if hasattr(first, "__array__") and not isinstance(first, np.ndarray | np.generic):
        module = __import__(type(first).__module__.partition(".")[0])
        if hasattr(module, "stack"):
            return module.stack(values)
    return np.stack([np.asarray(value) for value in values])
