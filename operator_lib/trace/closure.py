"""One digest for all the code that a call of an operator can run."""

from __future__ import annotations

import hashlib
import sys
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from operator_lib import tree
from operator_lib.errors import CacheError
from operator_lib.trace.keys.contents import Contents
from operator_lib.trace.keys.refused import Refused
from operator_lib.trace.keys.walk import Walk
from operator_lib.trace.keys.watch import Watch

# Changes when digests are made in another way.
_FORMAT = "1"
_SIZE = 1024

# Code that a value holds: a function, class or module, and whether it is the class of an object that is there already.
Held = tuple[Any, bool]

_kept: OrderedDict[Any, tuple[Reach, Watch, Any]] = OrderedDict()
_lock = threading.Lock()


def digest(op: Any, *, strict: bool = True) -> str:
    """A digest (hexadecimal) of all the code that ``op(...)`` can run; the same in every process and on every machine.

    It covers: the normalised source of ``forward``; functions, methods, classes and global constants of the project
    that it reaches, in other modules too, through decorators, closures, defaults, class attributes, operators and
    functions that the operator's attributes hold; the versions of the installed packages that this code uses, and of
    those that they need; the minor version of Python. It changes with none of: comments, docstrings, formatting, names
    of local variables, annotations that nobody reads, lines, files and folders, code that is not reached, values of
    the operator's attributes. What runs counts: a file that was edited after its module was imported does not.

    Kept while everything that it was made from is as it was, so that asking again costs some microseconds.

    Args:
        strict: False leaves out what cannot be told (``eval``, a global such as an open connection), and never raises.

    Raises:
        CacheError: the code calls ``eval`` or the like, or uses a value that has no content; says where.
    """
    held: list[Held] = []
    contents = Contents(lambda thing, inside: held.append((thing, inside)) or b"", refuse=False, skim=True)
    contents.write(op)
    try:
        return of(op, held, strict=strict).digest
    except Refused as error:
        raise CacheError(f"{tree.name_of(op)} cannot be cached: {error}") from None


@dataclass(frozen=True, slots=True)
class Reach:
    """What the code of a call can reach."""

    digest: str
    sinks: frozenset[str]
    """Attributes that it only adds to (``self.calls += 1``)."""
    paths: tuple[str, ...]
    """Paths among its constants; what they lead to is no part of `digest`."""


def of(op: Any, held: list[Held], *, strict: bool = True) -> Reach:
    """For `op` and the code that its attributes and the arguments of a call hold. Raises Refused."""
    forward = op.__dict__.get("forward") if "forward" in getattr(op, "__dict__", ()) else None
    held = list({(id(thing), inside): (thing, inside) for thing, inside in held}.values())
    key = (type(op), id(forward), strict, *((id(thing), inside) for thing, inside in held))
    with _lock:
        found = _kept.get(key)
    if found is not None and found[1].holds():
        return found[0]
    walk = Walk(strict=strict)
    for number, (thing, inside) in enumerate([(type(op), True), *held]):
        walk.add(str(number), thing, inside)
    if forward is not None:
        walk.add("forward", forward, False)
    digest = hashlib.sha256(f"{_FORMAT} {sys.implementation.cache_tag} {walk.digest()}".encode()).hexdigest()
    made = Reach(digest, walk.sinks, tuple(sorted(walk.paths)))
    with _lock:
        _kept[key] = made, walk.watch, [forward, *held]
        while len(_kept) > _SIZE:
            _kept.popitem(last=False)
    return made
