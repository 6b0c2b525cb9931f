"""Where paths meet: one type for both."""

from __future__ import annotations

from typing import Any

import numpy as np

from operator_lib.autobatch.instructions import TensorType
from operator_lib.autobatch.typing.values import (
    BOOL,
    OUTSIDE,
    Alias,
    Const,
    Lane,
    Maybe,
    Method,
    Rec,
    Tup,
    Value,
    constant_key,
    opened,
)


class Conflict(Exception):
    """Two paths bring what has no common type."""


def type_of_constant(value: Any) -> TensorType | None:
    """The type of a number or array; None for anything else."""
    if isinstance(value, bool | int | float | complex) and not isinstance(value, np.generic):
        return TensorType(np.dtype(type(value)), (), weak=True)
    if isinstance(value, np.generic | np.ndarray):
        if value.dtype.kind in "biufc":
            return TensorType(value.dtype, value.shape)
        return None
    dtype = getattr(value, "dtype", None)
    if dtype is not None and hasattr(value, "shape"):
        return TensorType(dtype_name(dtype), tuple(int(size) for size in value.shape))
    return None


def dtype_name(dtype: Any) -> Any:
    """The NumPy type of the same name as another library's."""
    if isinstance(dtype, np.dtype) or (isinstance(dtype, type) and issubclass(dtype, np.generic)):
        return np.dtype(dtype)
    name = getattr(dtype, "name", None) or str(dtype).rpartition(".")[2]
    return np.dtype(str(name))


def promote(one: TensorType, two: TensorType) -> TensorType:
    """The type that holds both, as NumPy 2 promotes; Conflict when the shapes differ."""
    if one == two:
        return one
    if one.shape != two.shape:
        raise Conflict(f"has shape {list(one.shape)} on one path and {list(two.shape)} on another")
    if one.weak == two.weak:
        return TensorType(np.promote_types(one.dtype, two.dtype), one.shape, one.weak)
    strong, weak = (two, one) if one.weak else (one, two)
    kinds = "biufc"
    kind = "i" if weak.dtype.kind == "i" else weak.dtype.kind
    strong_kind = "i" if strong.dtype.kind == "u" else strong.dtype.kind
    if kinds.index(kind) <= kinds.index(strong_kind):
        return strong
    number = {"i": 0, "f": 0.0, "c": 0j}[kind]
    return TensorType(np.result_type(strong.dtype, number), strong.shape)


def join(one: Value, two: Value) -> Value:
    """What is known when control may come from either side; Conflict when nothing can hold both."""
    if isinstance(one, Maybe) or isinstance(two, Maybe):
        inner = join(one.inner if isinstance(one, Maybe) else one, two.inner if isinstance(two, Maybe) else two)
        return Maybe(inner, Lane(BOOL))
    if isinstance(one, Const) and isinstance(two, Const) and same_constant(one.value, two.value):
        return one
    one, two = opened(one), opened(two)
    if isinstance(one, Const | Lane) and isinstance(two, Const | Lane):
        types = [type_of(value) for value in (one, two)]
        if types[0] is not None and types[1] is not None:
            return Lane(promote(types[0], types[1]), "", joined_alias(one, two))
    if isinstance(one, Tup) and isinstance(two, Tup) and one.kind is two.kind and len(one.items) == len(two.items):
        return Tup(tuple(join(a, b) for a, b in zip(one.items, two.items, strict=True)), one.kind)
    if isinstance(one, Rec) and isinstance(two, Rec) and [k for k, _ in one.items] == [k for k, _ in two.items]:
        one.alias.join(two.alias)
        pairs = zip(one.items, two.items, strict=True)
        return Rec(tuple((key, join(a, b)) for (key, a), (_, b) in pairs), one.alias)
    if isinstance(one, Method) and isinstance(two, Method) and one.name == two.name:
        return Method(join(one.owner, two.owner), one.name)
    raise Conflict(f"is {described(one)} on one path and {described(two)} on another")


def type_of(value: Value) -> TensorType | None:
    """The tensor type of a number or array."""
    if isinstance(value, Lane):
        return value.type
    return type_of_constant(value.value) if isinstance(value, Const) else None


def same_constant(one: Any, two: Any) -> bool:
    return one is two or constant_key(one) == constant_key(two)


def described(value: Value) -> str:
    """In words, for messages."""
    if isinstance(value, Const):
        text = repr(value.value)
        return text if len(text) <= 40 else f"a {type(value.value).__name__}"
    if isinstance(value, Lane):
        return str(value.type)
    if isinstance(value, Tup):
        return f"a {value.kind.__name__} of {len(value.items)}"
    if isinstance(value, Rec):
        return "a dict with the keys " + ", ".join(repr(key) for key, _ in value.items)
    return "a method" if isinstance(value, Method) else f"perhaps {described(value.inner)}"


def joined_alias(one: Const | Lane, two: Const | Lane) -> Alias | None:
    """The class of an array that is either; None for numbers."""
    kinds = [type_of(value) for value in (one, two)]
    if kinds[0] is None or not kinds[0].shape:
        return None
    found = [value.alias for value in (one, two) if isinstance(value, Lane) and value.alias is not None]
    alias = found[0] if found else Alias()
    for other in found[1:]:
        alias.join(other)
    if isinstance(one, Const) or isinstance(two, Const):
        alias.note(other=OUTSIDE)
    elif kinds[0] != kinds[1]:
        alias.note(other=f"{kinds[0]} for some examples and {kinds[1]} for others")
    return alias
