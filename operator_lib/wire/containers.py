"""Tagged forms of containers: tuples, sets, dicts of any keys, and their relatives in `collections`."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from operator_lib.errors import SerializationError
from operator_lib.wire.hints import key_hints, value_hints
from operator_lib.wire.listing import Listing
from operator_lib.wire.plain import SCALARS
from operator_lib.wire.refusal import Unencodable, public_name

if TYPE_CHECKING:
    from operator_lib.wire.hints import Hints
    from operator_lib.wire.tagged import Reader, Writer

_SMALL = SCALARS - {int}


def write_items(writer: Writer, items: Iterable[Any], *, step: str = "[{}]") -> list[Any]:
    """Every item written; an error is told its position."""
    if _SMALL.issuperset(map(type, items)):
        return list(items)
    written: list[Any] = []
    try:
        for item in items:
            written.append(writer.write(item))
    except Unencodable as error:
        raise error.under(step.format(len(written))) from None
    return written


def write_set(writer: Writer, items: Iterable[Any]) -> list[Any]:
    """Every element written; elements have no position."""
    return write_items(writer, items, step="{{element}}")


def write_fields(writer: Writer, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Named values written; an error is told the attribute."""
    written: dict[str, Any] = {}
    name = ""
    try:
        for name, value in fields.items():
            written[name] = writer.write(value)
    except Unencodable as error:
        raise error.under(f".{name}") from None
    return written


def _write_pairs(writer: Writer, value: Mapping[Any, Any]) -> list[Any]:
    flat: list[Any] = []
    for key, item in value.items():
        try:
            flat.append(writer.write(key))
        except Unencodable as error:
            raise error.under(f" key {_short(key)}") from None
        try:
            flat.append(writer.write(item))
        except Unencodable as error:
            raise error.under(f"[{_short(key)}]") from None
    return flat


def _short(key: Any) -> str:
    text = repr(key) if type(key) in SCALARS or type(key) is tuple else public_name(type(key))
    return text if len(text) <= 60 else text[:57] + "..."


def _write_dict(writer: Writer, value: dict[Any, Any]) -> Any:
    for key in value:
        if type(key) is not str or (len(value) == 1 and key[:1] == "$"):
            return {"$dict": _write_pairs(writer, value)}
    written: dict[str, Any] = {}
    key = ""
    try:
        for key, item in value.items():
            written[key] = writer.write(item)
    except Unencodable as error:
        raise error.under(f"[{_short(key)}]") from None
    return written


def _read_pairs(reader: Reader, nodes: Any, hints: Hints) -> list[tuple[Any, Any]]:
    if type(nodes) is not list or len(nodes) % 2:
        raise SerializationError("damaged frame: keys and values do not pair up")
    keys, values = key_hints(hints), value_hints(hints)
    return [(reader.read(nodes[i], keys), reader.read(nodes[i + 1], values)) for i in range(0, len(nodes), 2)]


def _read_defaultdict(reader: Reader, node: Any, hints: Hints) -> Any:
    factory, pairs = node
    made = reader.read(factory)
    if made is not None and not isinstance(made, type):
        raise SerializationError("damaged frame: the factory of a defaultdict is not a builtin type")
    return defaultdict(made, _read_pairs(reader, pairs, hints))


def _write_defaultdict(writer: Writer, value: defaultdict[Any, Any]) -> Any:
    try:
        factory = writer.write(value.default_factory)
    except Unencodable as error:
        raise error.under(".default_factory") from None
    return {"$defaultdict": [factory, _write_pairs(writer, value)]}


def _read_counter(reader: Reader, node: Any, hints: Hints) -> Any:
    counts: Counter[Any] = Counter()
    dict.update(counts, _read_pairs(reader, node, ()))
    return counts


def _read_deque(reader: Reader, node: Any, hints: Hints) -> Any:
    items, maxlen = node
    return deque(reader.items(items, hints), maxlen)


WRITERS: dict[type, Any] = {
    list: write_items,
    Listing: write_items,
    dict: _write_dict,
    tuple: lambda writer, value: {"$tuple": write_items(writer, value)},
    set: lambda writer, value: {"$set": write_set(writer, value)},
    frozenset: lambda writer, value: {"$frozenset": write_set(writer, value)},
    deque: lambda writer, value: {"$deque": [write_items(writer, value), value.maxlen]},
    OrderedDict: lambda writer, value: {"$ordered": _write_pairs(writer, value)},
    Counter: lambda writer, value: {"$counter": _write_pairs(writer, value)},
    defaultdict: _write_defaultdict,
}

READERS: dict[str, Any] = {
    "$tuple": lambda reader, node, hints: tuple(reader.items(node, hints)),
    "$set": lambda reader, node, hints: set(reader.items(node, hints)),
    "$frozenset": lambda reader, node, hints: frozenset(reader.items(node, hints)),
    "$deque": _read_deque,
    "$dict": lambda reader, node, hints: dict(_read_pairs(reader, node, hints)),
    "$ordered": lambda reader, node, hints: OrderedDict(_read_pairs(reader, node, hints)),
    "$counter": _read_counter,
    "$defaultdict": _read_defaultdict,
}
