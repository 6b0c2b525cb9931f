"""Values of which is known what every operation on them does: data, without code of anybody's in it.

A proof reads source as if every argument were such a value; whether it is one is asked when the call is made.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import fractions
import pathlib
import re
import sys
import types
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import Any

from operator_lib.independence import known

# Cannot change, and hold nothing that could.
FIXED = frozenset(
    {
        *(int, float, complex, bool, str, bytes, type(None), type(...), type(NotImplemented), range, slice),
        *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta, decimal.Decimal, fractions.Fraction),
        *(re.Pattern, uuid.UUID),
        *(pathlib.PurePosixPath, pathlib.PosixPath, pathlib.WindowsPath, pathlib.PureWindowsPath),
    }
)
_SEQUENCES = frozenset({list, tuple, set, frozenset, deque})
_MAPPINGS = frozenset({dict, OrderedDict, Counter})
_VIEWS = frozenset({type({}.keys()), type({}.values()), type({}.items()), bytearray, memoryview})
# Members that are looked at: more than these and a value is not taken for data, as looking would take too long.
MOST = 100_000


def is_fixed(value: Any) -> bool:
    """Whether a value can never change: numbers, texts, and tuples of them."""
    kind = type(value)
    if kind in FIXED:
        return True
    if kind is tuple or kind is frozenset:
        return len(value) <= MOST and all(is_fixed(one) for one in value)
    return False


def is_plain(value: Any) -> bool:
    """Whether a value and everything in it is data."""
    kind = type(value)
    if kind in FIXED:
        return True
    if kind is list and len(value) <= MOST and set(map(type, value)) <= FIXED:
        return True
    left = [MOST]
    return _plain(value, left, set())


def _plain(value: Any, left: list[int], seen: set[int]) -> bool:
    kind = type(value)
    if kind in FIXED:
        return True
    if id(value) in seen:
        return True
    if kind in _SEQUENCES:
        return _members(value, left, seen, value)
    if kind in _MAPPINGS or (kind is defaultdict and value.default_factory in (None, int, float, list, dict, set, str)):
        return _members(value, left, seen, value) and _members(value, left, seen, value.values())
    if kind in _VIEWS:
        return kind in (bytearray, memoryview) or _members(value, left, seen, value)
    if is_array(value):
        return True
    if is_record(kind):
        return _members(value, left, seen, _fields(value))
    return False


def _members(value: Any, left: list[int], seen: set[int], members: Any) -> bool:
    left[0] -= len(members)
    if left[0] < 0:
        return False
    seen.add(id(value))
    kinds = set(map(type, members))
    if kinds <= FIXED:
        return True
    return all(_plain(one, left, seen) for one in members)


def is_array(value: Any) -> bool:
    """An array of numbers: NumPy, or a PyTorch tensor that takes part in no gradient."""
    kind = type(value)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        if kind is numpy.ndarray:
            return value.dtype.kind in "biufcSU"
        if issubclass(kind, numpy.generic) and kind.__module__ == "numpy":
            return True
    torch = sys.modules.get("torch")
    return torch is not None and kind is getattr(torch, "Tensor", None) and not value.requires_grad


def is_record(kind: type) -> bool:
    """A dataclass or a named tuple: what happens to it without being called was generated.

    It may have methods of other names than those that are known of data.
    """
    if type(kind) is not type or kind.__module__ == "builtins":
        return False
    if "__dataclass_fields__" not in kind.__dict__ and not (kind.__bases__ == (tuple,) and "_fields" in kind.__dict__):
        return False
    return all(base in (object, tuple) or is_record(base) for base in kind.__bases__) and all(
        _generated(raw, name) for name, raw in kind.__dict__.items()
    )


def _generated(raw: Any, name: str) -> bool:
    inner = raw.__func__ if isinstance(raw, classmethod | staticmethod) else raw
    if isinstance(inner, types.FunctionType):
        file = inner.__code__.co_filename
        if file == "<string>" or file == _GENERATED or inner.__module__ in ("dataclasses", "collections", "reprlib"):
            return True
        return raw is inner and not name.startswith("__") and name not in known.METHODS
    if isinstance(inner, property):
        return False
    return not callable(inner) or name in ("__class__", "__annotate__", "__annotate_func__", "__hash__", "__new__")


# `repr` of a dataclass is wrapped, and has the module of the class.
_GENERATED = dataclasses.dataclass.__code__.co_filename


def _fields(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(tuple.__iter__(value))
    return list(value.__dict__.values()) if hasattr(value, "__dict__") else _slots(value)


def _slots(value: Any) -> list[Any]:
    return [getattr(value, name) for name in type(value).__dataclass_fields__ if hasattr(value, name)]


def key(value: Any) -> Any:
    """What makes two inputs the same: type and value of what is fixed, else the object itself.

    Zeros of different sign are different inputs; a NaN is the same as itself only.
    """
    kind = type(value)
    if kind is float or kind is complex:
        return kind, repr(value) if value == value else id(value)
    if kind is tuple:
        return kind, tuple(key(one) for one in value)
    if kind in FIXED and kind not in (slice, decimal.Decimal):
        return kind, value
    return "object", id(value)


def parts(values: Iterable[Any]) -> Iterator[Any]:
    """Values and everything in them."""
    for one in values:
        if type(one) in (list, tuple, set, frozenset, dict):
            yield from parts(one.values() if type(one) is dict else one)
        yield one


def all_plain(values: tuple[Any, ...]) -> bool:
    return all(is_plain(one) for one in values)


def first_fixed(values: tuple[Any, ...]) -> bool:
    return is_fixed(values[0]) and all_plain(values)
