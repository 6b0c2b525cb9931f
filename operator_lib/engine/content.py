"""What values contain, as sixteen bytes: the same in every process of a run, whatever objects hold it.

Made of what keys of the cache are made of (`trace.keys.contents`), with what belongs to a run: operators of its tree
stand by their paths, functions and classes by their names, and what only its pickle tells is told by that.
"""

from __future__ import annotations

import marshal
import sys
from collections.abc import Mapping
from hashlib import blake2b
from types import FunctionType
from typing import Any

from operator_lib.trace.keys import code as codes
from operator_lib.trace.keys.contents import MARSHAL, Contents
from operator_lib.trace.keys.refused import Refused

# Of values that cannot change, and that are what `marshal` says of them.
SIMPLE = frozenset({type(None), bool, int, float, complex, str, bytes})
_NOBODY: Mapping[int, str] = {}


class Opaque(TypeError):
    """It cannot be said what the value contains."""


def simple(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether all arguments of a call are immutable."""
    return SIMPLE.issuperset(map(type, args)) and SIMPLE.issuperset(map(type, kwargs.values()))


def digest_simple(value: Any) -> bytes:
    """`digest` of something made of tuples, lists and dicts of simple values; another one than `digest` gives."""
    return blake2b(marshal.dumps(value, MARSHAL), digest_size=16, person=b"simple").digest()


def digest(value: Any, names: Mapping[int, str] = _NOBODY, limit: int = sys.maxsize) -> bytes:
    """Sixteen bytes that stand for what `value` contains.

    Args:
        names: what objects are called, by id, that are not looked into.
        limit: bytes that are looked at.

    Raises:
        Opaque: that cannot be said: a lock, a connection, more than `limit` bytes.
    """
    open_functions = set[int]()

    def code(thing: Any, held: bool) -> bytes:
        if type(thing) is FunctionType and "<" in thing.__qualname__ and id(thing) not in open_functions:
            open_functions.add(id(thing))
            contents.text(b"", codes.bytecode(thing.__code__))
            contents.write((thing.__defaults__, thing.__kwdefaults__, _closed_over(thing)))
            open_functions.discard(id(thing))
        return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', '') or thing.__name__}".encode()

    contents = Contents(code, names=names, paths={}, pickled=True, limit=limit)
    try:
        contents.write(value)
    except Exception as problem:  # code of the user's may raise anything here
        raise Opaque(problem.short() if isinstance(problem, Refused) else str(problem)) from problem
    made = blake2b(digest_size=16)
    for part in contents.out:
        made.update(part)
    return made.digest()


def _closed_over(function: FunctionType) -> list[Any]:
    return [cell.cell_contents for cell in function.__closure__ or () if not _empty(cell)]


def _empty(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return True
    return False
