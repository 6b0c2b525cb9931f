"""Tagged forms of instances of the user's classes: enums, named tuples, dataclasses and pydantic models.

A class is found by the annotation, among the modules that are loaded already, or in the namespace that is
given; nothing is imported. Instances are put together from their parts: no ``__init__``, ``__post_init__``
or validator runs.
"""

from __future__ import annotations

import dataclasses
import enum
import sys
import types
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from operator_lib.errors import SerializationError
from operator_lib.wire.containers import write_fields
from operator_lib.wire.hints import classes, field_hints, is_named_tuple
from operator_lib.wire.refusal import Unencodable

if TYPE_CHECKING:
    from operator_lib.wire.hints import Hints
    from operator_lib.wire.tagged import Reader, Writer

_BUILTIN_BASES = (int, str, float, complex, bytes, bytearray, tuple, list, dict, set, frozenset)


def find_writer(kind: type) -> Callable[[Writer, Any], Any] | None:
    if issubclass(kind, enum.Enum):
        return _write_enum
    if is_named_tuple(kind):
        return _write_named
    if _is_model(kind):
        return _write_model
    if _is_dataclass(kind):
        return _write_dataclass
    if issubclass(kind, enum.EnumMeta):
        return _refuse_class
    return None


def find_class(
    module: str,
    qualname: str,
    hints: Hints,
    namespace: Mapping[str, Any] | None,
    fits: Callable[[type], bool],
) -> type | None:
    """The class of that name, without importing anything or running a module's ``__getattr__``."""
    if type(module) is not str or type(qualname) is not str:
        raise SerializationError("damaged frame: a class has no name")
    for kind in classes(hints):
        if kind.__qualname__ == qualname and fits(kind):
            return kind
    for names in (vars(sys.modules.get(module) or object), namespace or {}):
        found: Any = None
        for part in qualname.split("."):
            found = names.get(part)
            names = vars(found) if isinstance(found, type) else {}
        if isinstance(found, type) and found.__qualname__ == qualname and fits(found):
            return found
    return None


def _refuse_class(writer: Writer, value: Any) -> Any:
    raise Unencodable(value, f"is the class {value.__qualname__}, not an instance")


# Enums


def _write_enum(writer: Writer, value: enum.Enum) -> Any:
    kind = type(value)
    try:
        return {"$enum": [kind.__module__, kind.__qualname__, value._name_, writer.write(value._value_)]}
    except Unencodable as error:
        raise error.under(".value") from None


def _read_enum(reader: Reader, node: Any, hints: Hints) -> Any:
    module, qualname, name, raw = node
    value = reader.read(raw)
    kind = find_class(module, qualname, hints, reader.namespace, lambda kind: issubclass(kind, enum.Enum))
    if kind is None:
        return value
    kind = cast("type[enum.Enum]", kind)
    if name in kind._member_map_:
        return kind._member_map_[name]
    if issubclass(kind, enum.Flag) and _is_own_flag(kind):
        return kind(value)
    raise SerializationError(f"{kind.__qualname__} has no member {name!r} on this side")


def _is_own_flag(kind: type[enum.Flag]) -> bool:
    missing: Any = kind._missing_
    return missing.__func__ is cast("Any", enum.Flag._missing_).__func__ and kind.__new__ is enum.Enum.__new__


# Named tuples


def _write_named(writer: Writer, value: Any) -> Any:
    kind = type(value)
    fields: tuple[str, ...] = kind._fields
    parts = write_fields(writer, dict(zip(fields, tuple.__iter__(value), strict=True)))
    return {"$named": [kind.__module__, kind.__qualname__, parts]}


def _read_named(reader: Reader, node: Any, hints: Hints) -> Any:
    module, qualname, parts = node
    kind = find_class(module, qualname, hints, reader.namespace, is_named_tuple)
    known = field_hints(kind) if kind else {}
    values = {name: reader.read(part, known.get(name, ())) for name, part in parts.items()}
    if kind is None:
        return tuple(values.values())
    if tuple(values) != cast("Any", kind)._fields:
        raise SerializationError(f"{qualname} has other fields on this side than {', '.join(values)}")
    return tuple.__new__(kind, values.values())


# Dataclasses


def _is_dataclass(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) and not issubclass(kind, _BUILTIN_BASES)


def _instance_dict(value: Any) -> dict[str, Any]:
    try:
        return object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}


def _write_dataclass(writer: Writer, value: Any) -> Any:
    kind = type(value)
    names = [field.name for field in dataclasses.fields(kind)]
    state = _instance_dict(value)
    fields: dict[str, Any] = {}
    for name in names:
        if name in state:
            fields[name] = state[name]
        elif hasattr(value, name):
            fields[name] = getattr(value, name)
    node: list[Any] = [kind.__module__, kind.__qualname__, write_fields(writer, fields)]
    extra = {name: item for name, item in state.items() if name not in fields}
    if extra:
        node.append(write_fields(writer, extra))
    return {"$data": node}


def _read_dataclass(reader: Reader, node: Any, hints: Hints) -> Any:
    module, qualname, parts, *rest = node
    kind = find_class(module, qualname, hints, reader.namespace, _is_dataclass)
    known = field_hints(kind) if kind else {}
    fields = {name: reader.read(part, known.get(name, ())) for name, part in parts.items()}
    extra = {name: reader.read(part) for name, part in rest[0].items()} if rest else {}
    if kind is None:
        return fields
    unknown = fields.keys() - {field.name for field in dataclasses.fields(cast("Any", kind))}
    if unknown:
        raise SerializationError(f"{qualname} has no field {min(unknown)!r} on this side")
    instance: Any = object.__new__(kind)
    state = _instance_dict(instance)
    for name, item in fields.items():
        slot = _slot(kind, name)
        if slot is None:
            state[name] = item
        else:
            slot.__set__(instance, item)
    state.update((name, item) for name, item in extra.items() if not name.startswith("__"))
    return instance


def _slot(kind: type, name: str) -> types.MemberDescriptorType | None:
    for base in kind.__mro__:
        if name in vars(base):
            found = vars(base)[name]
            return found if isinstance(found, types.MemberDescriptorType) else None
    return None


# Pydantic models, handled the way pydantic's own __getstate__ and __setstate__ do


def _base_model() -> Any:
    return getattr(sys.modules.get("pydantic"), "BaseModel", None)


def _is_model(kind: type) -> bool:
    base = _base_model()
    return base is not None and issubclass(kind, base)


def _write_model(writer: Writer, value: Any) -> Any:
    kind = type(value)
    state = _base_model().__getstate__(value)
    node: list[Any] = [kind.__module__, kind.__qualname__, write_fields(writer, state["__dict__"])]
    node.append(sorted(state["__pydantic_fields_set__"]))
    for part in ("__pydantic_extra__", "__pydantic_private__"):
        node.append(None if state[part] is None else write_fields(writer, state[part]))
    return {"$model": node}


def _read_model(reader: Reader, node: Any, hints: Hints) -> Any:
    module, qualname, parts, is_set, extra, private = node
    kind = find_class(module, qualname, hints, reader.namespace, _is_model)
    known = field_hints(kind) if kind else {}
    fields = {name: reader.read(part, known.get(name, ())) for name, part in parts.items()}
    more, hidden = (
        None if group is None else {name: reader.read(part) for name, part in group.items()}
        for group in (extra, private)
    )
    if kind is None:
        return {**fields, **(more or {})}
    unknown = fields.keys() - cast("Any", kind).model_fields.keys()
    if unknown:
        raise SerializationError(f"{qualname} has no field {min(unknown)!r} on this side")
    instance = object.__new__(kind)
    state = {"__dict__": fields, "__pydantic_fields_set__": set(_names(is_set))}
    state |= {"__pydantic_extra__": more, "__pydantic_private__": hidden}
    _base_model().__setstate__(instance, state)
    return instance


def _names(names: Any) -> list[str]:
    if type(names) is not list or any(type(name) is not str for name in names):
        raise SerializationError("damaged frame: field names were expected")
    return names


READERS: dict[str, Any] = {
    "$enum": _read_enum,
    "$named": _read_named,
    "$data": _read_dataclass,
    "$model": _read_model,
}
