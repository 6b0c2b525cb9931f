"""The tagged form: JSON that also says tuple, datetime, array, dataclass and so on, as ``{"$tuple": [...]}``.

Every family of types lives in a file of its own and registers a writer for each type and a reader for each
tag.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, cast

from operator_lib.errors import SerializationError
from operator_lib.wire import arrays, classes, containers, failed, images, scalars, tables, tensors
from operator_lib.wire.frames import Buffer
from operator_lib.wire.hints import Hints, item_hints, value_hints
from operator_lib.wire.plain import MAX_DEPTH, SCALARS
from operator_lib.wire.refusal import Unencodable

WriterRule = Callable[["Writer", Any], Any]
ReaderRule = Callable[["Reader", Any, Hints], Any]

_FAMILIES = (scalars, containers, classes, arrays, tensors, tables, images, failed)
_PLAIN_INT_BITS = 14_000  # longer ones exceed the 4,300 decimal digits that Python reads by default

_WRITERS: dict[type, WriterRule] = {}
_READERS: dict[str, ReaderRule] = {}
for _family in _FAMILIES:
    _WRITERS.update(cast("dict[type, WriterRule]", getattr(_family, "WRITERS", {})))
    _READERS.update(cast("dict[str, ReaderRule]", _family.READERS))


@lru_cache(maxsize=1024)
def _rule_for(kind: type) -> WriterRule | None:
    for family in (failed, scalars, classes, arrays, tensors, tables, images):
        rule = cast("WriterRule | None", family.find_writer(kind))
        if rule is not None:
            return rule
    return None


class Writer:
    """Turns values into tagged JSON; raw bytes are put aside in ``buffers``."""

    __slots__ = ("_active", "buffers")

    def __init__(self) -> None:
        self.buffers: list[Buffer] = []
        self._active: set[int] = set()

    def write(self, value: Any) -> Any:
        """The JSON form of ``value``. Raises Unencodable."""
        kind = type(value)
        if kind in SCALARS:
            if kind is int and value.bit_length() > _PLAIN_INT_BITS:
                return {"$int": hex(value)}
            return value
        rule = _WRITERS.get(kind) or _rule_for(kind)
        if rule is None:
            raise Unencodable(value)
        active = self._active
        if id(value) in active:
            raise Unencodable(value, "contains itself")
        if len(active) >= MAX_DEPTH:
            raise Unencodable(value, f"is nested deeper than {MAX_DEPTH} levels")
        active.add(id(value))
        try:
            return rule(self, value)
        finally:
            active.discard(id(value))

    def put(self, buffer: Buffer) -> int:
        """Set raw bytes aside; returns their index."""
        self.buffers.append(buffer)
        return len(self.buffers) - 1


class Reader:
    """Turns tagged JSON back into values. Runs no code of the value's classes and imports none of their
    modules.
    """

    __slots__ = ("_buffers", "_depth", "namespace")

    def __init__(self, buffers: tuple[memoryview, ...], namespace: Mapping[str, Any] | None) -> None:
        self._buffers: list[memoryview | None] = list(buffers)
        self._depth = 0
        self.namespace = namespace

    def read(self, node: Any, hints: Hints = ()) -> Any:
        """The value of a JSON form. Raises SerializationError, and errors of constructors for malformed
        forms.
        """
        kind = type(node)
        if kind is not dict and kind is not list:
            return node
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise SerializationError(f"nested deeper than {MAX_DEPTH} levels")
        try:
            if kind is list:
                return self.items(node, hints)
            if len(node) == 1:
                (tag,) = node
                if tag[:1] == "$":
                    rule = _READERS.get(tag)
                    if rule is None:
                        raise SerializationError(f"unknown tag {tag[:40]!r}; update operator_lib on this side")
                    return rule(self, node[tag], hints)
            inner = value_hints(hints) if hints else ()
            return {key: self.read(item, inner) for key, item in node.items()}
        finally:
            self._depth -= 1

    def items(self, nodes: list[Any], hints: Hints) -> list[Any]:
        """Every item of a JSON list, read."""
        if type(nodes) is not list:
            raise SerializationError("damaged frame: a list was expected")
        if SCALARS.issuperset(map(type, nodes)):
            return nodes
        if not hints:
            return [self.read(node) for node in nodes]
        return [self.read(node, item_hints(hints, index)) for index, node in enumerate(nodes)]

    def take(self, index: Any) -> memoryview:
        """The raw bytes set aside under ``index``; each can be taken once, so that a frame cannot grow when
        read.
        """
        if type(index) is not int or not 0 <= index < len(self._buffers):
            raise SerializationError("damaged frame: it refers to a buffer that is not there")
        buffer = self._buffers[index]
        if buffer is None:
            raise SerializationError("damaged frame: it refers twice to one buffer")
        self._buffers[index] = None
        return buffer
