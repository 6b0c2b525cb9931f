"""What a call has changed about its operator and those below it, so that the change can be stored and made again."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from operator_lib import tree
from operator_lib.engine.content import SIMPLE, Opaque, digest, digest_simple

# Bytes of one attribute; what is larger counts as unchanged for as long as it is the same object.
LARGEST = 64 << 20
# What the library keeps on operators; on those that are made of a function also what it says of itself.
OURS = frozenset({"_operator_nodes", "_operator_shared", "_options", "_managed"})
_WRAPPING = OURS.union(functools.WRAPPER_ASSIGNMENTS, {"__wrapped__"})

_OPAQUE = b"?"

# Path of the operator, name of the attribute.
Where = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Changes:
    """What to do to make them again: `put` says whether the object there was altered (True) or replaced."""

    put: list[tuple[Where, bool, Any]]
    gone: list[Where]


class Attributes:
    """The attributes of some operators at one moment."""

    __slots__ = ("_names", "_nodes", "_seen")

    def __init__(self, nodes: Iterable[tuple[str, Any]], names: Mapping[int, str]) -> None:
        """`nodes`: the operators with their paths; `names` those of all operators of the tree, by id."""
        self._nodes = nodes
        self._names = names
        self._seen = self._look()

    def _look(self) -> dict[Where, tuple[Any, Any]]:
        found: dict[Where, tuple[Any, Any]] = {}
        for path, node in self._nodes:
            state = tree.state(node)
            held = tree.attributes(node) if _slotted(type(node)) else list(state.items())
            hidden = _WRAPPING if "__wrapped__" in state else OURS
            for name, value in held:
                if name not in hidden:
                    found[path, name] = value, None if type(value) in SIMPLE else self._content(value)
        return found

    def _content(self, value: Any) -> bytes:
        try:
            return digest(value, self._names, LARGEST)
        except Opaque:
            return _OPAQUE

    def digest(self) -> bytes | None:
        """What they contain; None where that cannot be said."""
        told: list[Any] = []
        for where, (value, content) in self._seen.items():
            if content is _OPAQUE:
                return None
            told.append((where, value if content is None else content))
        return digest_simple(told)

    def changes(self) -> Changes | None:
        """What is different now; None when nothing is."""
        now = self._look()
        put = [
            (where, where in self._seen and self._seen[where][0] is value, value)
            for where, (value, content) in now.items()
            if where not in self._seen or not _same(*self._seen[where], value, content)
        ]
        gone = [where for where in self._seen if where not in now]
        return Changes(put, gone) if put or gone else None


@functools.cache
def _slotted(cls: type) -> bool:
    """Whether its objects may have attributes outside of their ``__dict__``."""
    return any("__slots__" in base.__dict__ for base in cls.__mro__)


def _same(old: Any, old_content: Any, value: Any, content: Any) -> bool:
    if content is None and old_content is None:
        return old is value or (type(old) is type(value) and repr(old) == repr(value))
    return content == old_content and (content is not _OPAQUE or old is value)


def restore(changes: Changes, operators: Mapping[str, Any], skip: Mapping[Where, Any]) -> None:
    """Make the changes again, but for those in `skip`."""
    for (path, name), altered, value in changes.put:
        node = operators.get(path)
        if node is None or (path, name) in skip:
            continue
        if not altered or not _fill(getattr(node, name, None), value):
            object.__setattr__(node, name, value)
    for path, name in changes.gone:
        if path in operators and (path, name) not in skip:
            tree.state(operators[path]).pop(name, None)


def _fill(old: Any, new: Any) -> bool:
    """Make `old`, which others may hold too, contain what `new` contains; False where that is not known how."""
    if type(old) is not type(new):
        return False
    if type(old) in (list, bytearray):
        cast("list[Any]", old)[:] = new
    elif type(old) in (dict, set):
        cast("set[Any]", old).clear()
        cast("set[Any]", old).update(new)
    elif type(old) is deque:
        cast("deque[Any]", old).clear()
        cast("deque[Any]", old).extend(new)
    elif _is_plain(type(old)):
        tree.state(old).clear()
        tree.state(old).update(tree.state(new))
    else:
        return False
    return True


def _is_plain(cls: type) -> bool:
    """Whether its objects are what their ``__dict__`` says."""
    return (
        cls.__reduce_ex__ is object.__reduce_ex__
        and cls.__reduce__ is object.__reduce__
        and not hasattr(cls, "__setstate__")
        and getattr(cls, "__getstate__", None) is getattr(object, "__getstate__", None)
        and all("__slots__" not in base.__dict__ for base in cls.__mro__)
        and cls.__basicsize__ <= _Plain.__basicsize__
    )


class _Plain:
    pass
