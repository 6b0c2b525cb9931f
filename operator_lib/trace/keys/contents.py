"""What a value holds, as bytes that are equal for equal values in every process, and for no others.

Types count (``1``, ``1.0`` and ``True`` differ, and so do ``0.0`` and ``-0.0``), and so does the order of a dict, which
a program can see. The order of a set does not, nor whether two parts are one object. What is not known to be told whole
by this is refused, with its path.

Keys of the cache and checkpoints of runs are both made of it. Checkpoints, which live as long as their run, also take
what only its pickle tells (`pickled`), and stop at a size.
"""

from __future__ import annotations

import copyreg
import functools
import marshal
import struct
import sys
import threading
import types
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, cast
from weakref import WeakKeyDictionary

from operator_lib import core
from operator_lib.trace.keys import families, leaves
from operator_lib.trace.keys.refused import Refused

# Says what a function, a class or a module is; `held`: the class of an object that is there already.
Code = Callable[[Any, bool], bytes]

Rule = Callable[["Contents", Any], None]
_DEEPEST = 200
_NOBODY: Mapping[int, str] = {}
_float = struct.Struct(">d").pack
# Containers of these alone are written by `marshal`, in the version of its format that knows nothing of shared parts.
_PLAIN = frozenset({int, str, float, bytes, bool, type(None)})
MARSHAL = 2
# What an object in an object counts for besides its text and numbers, in bytes.
_OBJECT = 64
# What this library keeps in operators; options are no part of what an operator is.
_OURS = frozenset({"_options", "_managed", "_operator_nodes", "_operator_shared"})
_WRAPPING = _OURS.union(functools.WRAPPER_ASSIGNMENTS)


class Contents:
    """Writes values to `out`. `refuse=False` writes the mere type of what cannot be told."""

    __slots__ = ("_active", "_hidden", "code", "left", "names", "out", "paths", "pickled", "refuse", "skim")

    def __init__(
        self,
        code: Code,
        *,
        refuse: bool = True,
        skim: bool = False,
        paths: dict[str, str] | None = None,
        hidden: frozenset[str] = frozenset(),
        names: Mapping[int, str] = _NOBODY,
        pickled: bool = False,
        limit: int = sys.maxsize,
    ) -> None:
        self.code = code
        self.refuse = refuse
        self.skim = skim  # only code is asked for: data may be left out
        self.paths = paths  # what paths lead to goes here, where it is given
        self._hidden = hidden  # attributes of operators that say nothing
        self.names = names  # of objects, by id, that are not looked into
        self.pickled = pickled  # an object that says how it is pickled is told by that; what cannot be pickled, not
        self.left = limit  # bytes until it is too large
        self.out: list[bytes] = []
        self._active: dict[int, int] = {}

    def write(self, value: Any) -> None:
        """Write `value`. Raises Refused."""
        kind = type(value)
        rule = _RULES.get(kind)
        if rule is None:
            name = self.names.get(id(value))
            if name is not None:
                self.text(b"n", name)
                return
            rule = _learn(kind)
            if self.pickled and _pickles(kind, rule):
                rule = _reduction
        rule(self, value)

    def text(self, tag: bytes, text: str) -> None:
        """A tagged text."""
        self.raw(tag, text.encode("utf-8", "surrogatepass"))

    def raw(self, tag: bytes, data: Any) -> None:
        """Tagged bytes: the length comes first, so that no two values run into one another."""
        size = len(data)
        self.out.append(b"%b%d:" % (tag, size))
        self.out.append(data)
        self._count(data, size)

    def _count(self, value: Any, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise Refused(value, "is too large")

    def items(self, tag: bytes, values: Iterable[Any], count: int, step: str = "[{}]") -> None:
        """A tagged sequence."""
        self.out.append(b"%b%d[" % (tag, count))
        at = -1
        try:
            for value in values:
                at += 1
                self.write(value)
        except Refused as error:
            raise error.within(step.format(at)) from None

    def pairs(self, tag: bytes, pairs: Iterable[tuple[Any, Any]], count: int, step: str = "[{!r:.60}]") -> None:
        """Tagged keys with their values."""
        self.out.append(b"%b%d{" % (tag, count))
        key: Any = None
        try:
            for key, value in pairs:
                self.write(key)
                self.write(value)
        except Refused as error:
            raise error.within(step.format(key)) from None

    def unordered(self, tag: bytes, values: Iterable[Any]) -> None:
        """Members in the order of what they are written as: that of the set differs from process to process."""
        outer, parts = self.out, list[bytes]()
        try:
            for value in values:
                self.out = []
                self.write(value)
                parts.append(b"".join(self.out))
        except Refused as error:
            raise error.within("{element}") from None
        finally:
            self.out = outer
        self.out.append(b"%b%d{" % (tag, len(parts)))
        self.out.extend(sorted(parts))

    def inside(self, value: Any, rule: Rule) -> None:
        """`rule`, for something that may contain itself."""
        active = self._active
        depth = active.get(id(value))
        if depth is not None:
            self.out.append(b"^%d" % (len(active) - depth))
            return
        if len(active) >= _DEEPEST:
            self.cannot(value, f"is nested deeper than {_DEEPEST} levels")
            return
        active[id(value)] = len(active)
        self._count(value, _OBJECT)
        try:
            rule(self, value)
        finally:
            del active[id(value)]

    def attributes(self, value: Any) -> None:
        """The state of an object: slots and ``__dict__``, by name."""
        found = state_of(value)
        hidden = _OURS
        if isinstance(value, core.Operator):
            # What a function operator says of its function is told by the function.
            hidden = (_WRAPPING if "__wrapped__" in found else _OURS) | self._hidden
        names = sorted(name for name in found if name not in hidden)
        self.out.append(b"%d{" % len(names))
        name = ""
        try:
            for name in names:
                self.text(b"", name)
                self.write(found[name])
        except Refused as error:
            raise error.within(f".{name}") from None

    def cannot(self, value: Any, why: str = "") -> None:
        """Say that a value cannot be told from others."""
        if self.refuse:
            raise Refused(value, why)
        self.text(b"?", f"{type(value).__module__}.{type(value).__qualname__}")


def state_of(value: Any) -> dict[str, Any]:
    """Attributes of an object as they are stored, read past its properties."""
    try:
        found: Any = object.__getattribute__(value, "__dict__")
    except (AttributeError, TypeError):
        found = {}
    made = {str(name): item for name, item in dict(found).items()}
    for slot in cast("list[str]", copyreg._slotnames(type(value))):  # type: ignore[attr-defined]  # knows mangled names
        try:
            made[slot] = object.__getattribute__(value, slot)
        except AttributeError:
            continue
    return made


# --- rules: containers -------------------------------------------------------------------------------------------


def _plain(c: Contents, tag: bytes, value: Any, *parts: Iterable[Any]) -> bool:
    """Write a container at once if `parts` of it are numbers, text and the like."""
    for part in parts:
        if not _PLAIN.issuperset(map(type, part)):
            return False
    if not c.skim or len(value) <= 64:
        c.raw(tag, marshal.dumps(value, MARSHAL))
    return True


def _list(c: Contents, value: Any) -> None:
    if not _plain(c, b"L", value, value):
        c.inside(value, lambda c, v: c.items(b"L", v, len(v)))


def _tuple(c: Contents, value: Any) -> None:
    if not _plain(c, b"U", value, value):
        c.inside(value, lambda c, v: c.items(b"U", v, len(v)))


def _dict(c: Contents, value: Any) -> None:
    if not _plain(c, b"D", value, value, value.values()):
        c.inside(value, lambda c, v: c.pairs(b"D", dict.items(v), len(v)))


def _set(c: Contents, value: Any) -> None:
    c.unordered(b"S" if type(value) is set else b"Z", value)


# --- rules: objects ----------------------------------------------------------------------------------------------


def _enum(c: Contents, value: Any) -> None:
    c.out.append(b"E" + c.code(type(value), True))
    c.text(b"", str(value._name_))
    c.write(value._value_)


def _exception(c: Contents, value: Any) -> None:
    c.out.append(b"X" + c.code(type(value), True))
    c.items(b"", value.args, len(value.args), ".args[{}]")
    c.attributes(value)


def _object(c: Contents, value: Any) -> None:
    c.out.append(b"O" + c.code(type(value), True))
    c.inside(value, Contents.attributes)


def _keyed(c: Contents, value: Any) -> None:
    """An object that says itself what tells it from others."""
    c.out.append(b"K" + c.code(type(value), True))
    try:
        c.write(value.__cache_key__())
    except Refused as error:
        raise error.within(".__cache_key__()") from None


def _derived(base: type) -> Rule:
    """For objects of a class derived from a built-in one."""
    rule = _RULES[base]

    def write(c: Contents, value: Any) -> None:
        c.out.append(b"C" + c.code(type(value), True))
        if base is dict:
            c.inside(value, lambda c, v: c.pairs(b"D", dict.items(v), dict.__len__(v)))
        elif base is list:
            c.inside(value, lambda c, v: c.items(b"L", list.__iter__(v), list.__len__(v)))
        elif base is set:
            c.unordered(b"S", set.__iter__(value))
        else:
            rule(c, _as(base, value))
        c.attributes(value)

    return write


def _as(base: type, value: Any) -> Any:
    if base is tuple:
        return tuple(tuple.__iter__(value))
    if base is frozenset:
        return frozenset(frozenset.__iter__(value))
    if base is str:
        return str.__str__(value)
    if base is bytes:
        return bytes.__getitem__(value, slice(None))
    return base.__pos__(value) if base is not int else int.__index__(value)  # type: ignore[attr-defined]


def _code(c: Contents, value: Any) -> None:
    c.out.append(b"f" + c.code(value, False))


def _method(c: Contents, value: Any) -> None:
    c.out.append(b"m" + c.code(value.__func__, False))
    c.write(value.__self__)


def _builtin(c: Contents, value: Any) -> None:
    owner = value.__self__
    c.text(b"b", f"{value.__module__}.{value.__qualname__}")
    if owner is not None and not isinstance(owner, types.ModuleType):
        c.write(owner)


def _partial(c: Contents, value: Any) -> None:
    c.out.append(b"p")
    c.write(value.func)
    c.write(value.args)
    c.write(value.keywords)


def _kind_only(c: Contents, value: Any) -> None:
    if c.pickled:
        c.cannot(value)
    else:
        c.text(b"l", type(value).__qualname__)  # a lock holds nothing


def _refused(c: Contents, value: Any) -> None:
    c.cannot(value)


def _reduction(c: Contents, value: Any) -> None:
    """An object as it would be pickled."""
    try:
        reduce = copyreg.dispatch_table.get(type(value))
        made: Any = value.__reduce_ex__(4) if reduce is None else reduce(value)
    except Exception as problem:  # code of the user's may raise anything here
        c.cannot(value, f"cannot be pickled ({problem})")
        return
    c.out.append(b"R" + c.code(type(value), True))
    if isinstance(made, str):
        c.text(b"", made)
        return
    iterated = [list(part) if part is not None and at >= 3 else part for at, part in enumerate(made[:5])]
    c.inside(value, lambda c, _: c.items(b"", iterated, len(iterated), ".__reduce__()[{}]"))


# --- which rule --------------------------------------------------------------------------------------------------

_RULES: dict[type, Rule] = {
    type(None): lambda c, v: c.out.append(b"N"),
    bool: lambda c, v: c.out.append(b"T" if v else b"F"),
    int: lambda c, v: c.text(b"i", hex(v)),
    float: lambda c, v: c.out.append(b"d" + _float(v)),
    str: lambda c, v: c.text(b"s", v),
    bytes: lambda c, v: c.raw(b"y", v),
    list: _list,
    tuple: _tuple,
    dict: _dict,
    set: _set,
    frozenset: _set,
    types.FunctionType: _code,
    types.ModuleType: _code,
    type: _code,
    types.MethodType: _method,
    types.BuiltinFunctionType: _builtin,
    functools.partial: _partial,
    type(threading.Lock()): _kind_only,
    type(threading.RLock()): _kind_only,
    **leaves.RULES,
}
_BASES = (bool, int, float, str, bytes, tuple, list, dict, frozenset, set)


_learned: WeakKeyDictionary[type, Rule] = WeakKeyDictionary()  # classes may be made while the program runs


def _learn(kind: type) -> Rule:
    rule = _learned.get(kind)
    if rule is None:
        rule = _learned[kind] = _find(kind)
    return rule


def _find(kind: type) -> Rule:
    if issubclass(kind, type):
        return _code
    if hasattr(kind, "__cache_key__"):
        return _keyed
    if issubclass(kind, Enum):
        return _enum
    rule = leaves.find(kind) or families.find(kind)
    if rule is not None:
        return rule
    if issubclass(kind, BaseException):
        return _exception
    base = next((b for b in _BASES if issubclass(kind, b)), None)
    if base is not None:
        return _derived(base)
    if issubclass(kind, core.Operator) or holds_attributes_only(kind):
        return _object
    return _refused


@functools.lru_cache(4096)
def _pickles(kind: type, rule: Rule) -> bool:
    """Whether only its pickle tells an object, or it says itself what of it is kept."""
    if rule is _refused:
        return True
    if rule is not _object or issubclass(kind, core.Operator):
        return False
    return (
        kind.__reduce_ex__ is not object.__reduce_ex__
        or kind.__reduce__ is not object.__reduce__
        or getattr(kind, "__getstate__", None) is not getattr(object, "__getstate__", None)
        or kind in copyreg.dispatch_table
    )


def holds_attributes_only(kind: type) -> bool:
    """Whether everything that an object of the class holds is in its slots and its ``__dict__``.

    As pickle tells it: a class written in C is larger than that.
    """
    pointer = struct.calcsize("P")
    size = object.__basicsize__ + pointer * len(cast("list[str]", copyreg._slotnames(kind)))  # type: ignore[attr-defined]
    size += pointer * ((kind.__dictoffset__ > 0) + (kind.__weakrefoffset__ > 0))
    return kind.__basicsize__ <= size and not kind.__itemsize__ and kind is not object and kind.__flags__ & 1 << 9 != 0
