"""Plain JSON made into what an annotation asks for: ``coerce([1, 2], set[int])`` is ``{1, 2}``."""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import inspect
import types
import typing
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Any, Literal, Union, cast, get_args, get_origin

from operator_lib.wire.hints import arms, field_types, is_named_tuple
from operator_lib.wire.leaves import LEAVES, library_leaf

_SEQUENCES: dict[Any, Callable[[list[Any]], Any]] = {
    list: list,
    set: set,
    frozenset: frozenset,
    deque: deque,
    collections.abc.Sequence: list,
    collections.abc.MutableSequence: list,
    collections.abc.Collection: list,
    collections.abc.Iterable: list,
    collections.abc.Set: set,
    collections.abc.MutableSet: set,
}
_MAPPINGS: dict[Any, Callable[[dict[Any, Any]], Any]] = {
    dict: dict,
    OrderedDict: OrderedDict,
    defaultdict: lambda items: defaultdict(None, items),
    Counter: Counter,
    collections.abc.Mapping: dict,
    collections.abc.MutableMapping: dict,
}
_KEY_TEXT = {"true": True, "false": False, "True": True, "False": False}
_UNKNOWN = (Any, object, None, inspect.Parameter.empty)


def coerce(value: Any, hint: Any, where: str = "value") -> Any:
    """``value``, as a JSON caller sent it, as an instance of ``hint``.

    Values that are instances already, and hints that say nothing, leave it alone. Raises TypeError (wrong
    kind) and ValueError (right kind, impossible value), both with the place: ``argument 'x'.items[2]:
    expected int, got str``.
    """
    if any(hint is nothing for nothing in _UNKNOWN):
        return value
    origin = get_origin(hint)
    if origin is Union or origin is types.UnionType:
        return _union(value, get_args(hint), where)
    if origin is Literal:
        return _literal(value, get_args(hint), where)
    unwrapped = arms(hint)
    if len(unwrapped) != 1:
        return _union(value, unwrapped, where) if unwrapped else value
    if unwrapped[0] is not hint:
        return coerce(value, unwrapped[0], where)
    return _one(value, hint, origin or hint, get_args(hint), where)


def _one(value: Any, hint: Any, kind: Any, args: tuple[Any, ...], where: str) -> Any:
    if kind in LEAVES:
        return LEAVES[kind](value, where)
    if kind is tuple:
        return _tuple(value, args, where)
    if kind in _SEQUENCES:
        return _sequence(value, kind, args, where)
    if kind in _MAPPINGS:
        return _mapping(value, kind, args, where)
    if typing.is_typeddict(kind):
        return _record(value, kind, where, kind.__required_keys__, dict)
    if not isinstance(kind, type) or isinstance(value, kind):
        return value
    if issubclass(kind, enum.Enum):
        return _enum(value, kind, where)
    if is_named_tuple(kind):
        return _named(value, kind, where)
    if dataclasses.is_dataclass(kind):
        return _dataclass(value, kind, where)
    if hasattr(kind, "model_validate"):
        return _model(value, kind, where)
    leaf = library_leaf(kind)
    if leaf is not None:
        return leaf(value, where)
    raise wrong(value, kind.__name__, where)


def wrong(value: Any, expected: str, where: str) -> TypeError:
    """The error for a value of another kind than expected."""
    return TypeError(f"{where}: expected {expected}, got {_kind(value)}")


def _kind(value: Any) -> str:
    return "null" if value is None else type(value).__name__


def _union(value: Any, args: tuple[Any, ...], where: str) -> Any:
    for arm in args:
        kind = get_origin(arm) or arm
        if isinstance(kind, type) and type(value) is kind and not get_args(arm):
            return value
    if value is None and type(None) in args:
        return None
    problems: list[str] = []
    for arm in args:
        if arm is not type(None):
            try:
                return coerce(value, arm, where)
            except (TypeError, ValueError) as error:
                problems.append(str(error))
    if len(problems) == 1:
        raise TypeError(problems[0])
    raise TypeError(f"{where}: fits no alternative ({'; '.join(p.removeprefix(f'{where}: ') for p in problems)})")


def _literal(value: Any, allowed: tuple[Any, ...], where: str) -> Any:
    for choice in allowed:
        if type(choice) is type(value) and choice == value:
            return choice
        if isinstance(choice, enum.Enum) and (value == choice.value or value == choice.name):
            return choice
    raise ValueError(f"{where}: must be one of {', '.join(map(repr, allowed))}, got {value!r:.100}")


def _items(value: Any, expected: str, where: str) -> list[Any]:
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return list(cast("list[Any]", value))
    raise wrong(value, expected, where)


def _sequence(value: Any, kind: Any, args: tuple[Any, ...], where: str) -> Any:
    items = _items(value, kind.__name__, where)
    if args:
        items = [coerce(item, args[0], f"{where}[{index}]") for index, item in enumerate(items)]
    try:
        return value if type(value) is kind and not args else _SEQUENCES[kind](items)
    except TypeError as error:
        raise TypeError(f"{where}: {error}") from None


def _tuple(value: Any, args: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    items = _items(value, "tuple", where)
    if not args:
        return tuple(items)
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(coerce(item, args[0], f"{where}[{index}]") for index, item in enumerate(items))
    if len(items) != len(args):
        raise ValueError(f"{where}: expected {len(args)} items, got {len(items)}")
    return tuple(coerce(item, arm, f"{where}[{i}]") for i, (item, arm) in enumerate(zip(items, args, strict=True)))


def _mapping(value: Any, kind: Any, args: tuple[Any, ...], where: str) -> Any:
    if not isinstance(value, Mapping):
        raise wrong(value, kind.__name__, where)
    items = dict(cast("Mapping[Any, Any]", value))
    if len(args) == 2:
        items = {_key(key, args[0], where): coerce(item, args[1], f"{where}[{key!r}]") for key, item in items.items()}
    elif args:
        items = {_key(key, args[0], where): item for key, item in items.items()}
    return _MAPPINGS[kind](items)


def _key(key: Any, hint: Any, where: str) -> Any:
    """JSON keys are text: ``{"1": ...}`` fits ``dict[int, ...]``."""
    place = f"{where} key {key!r}"
    if isinstance(key, str) and hint in (int, float, bool):
        try:
            return _KEY_TEXT[key] if hint is bool else hint(key)
        except (ValueError, KeyError):
            raise ValueError(f"{place}: expected {hint.__name__}") from None
    return coerce(key, hint, place)


def _enum(value: Any, kind: type[enum.Enum], where: str) -> Any:
    for member in kind:
        if type(member.value) is type(value) and member.value == value:
            return member
    if isinstance(value, str) and value in kind.__members__:
        return kind.__members__[value]
    if issubclass(kind, enum.Flag) and type(value) is int:
        try:
            return kind(value)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
    choices = ", ".join(repr(member.value) for member in kind)
    raise ValueError(f"{where}: must be one of {choices}, got {value!r:.100}")


def _record(value: Any, kind: type, where: str, required: collections.abc.Set[str], make: Callable[..., Any]) -> Any:
    """An object with named, typed fields."""
    if not isinstance(value, Mapping):
        raise wrong(value, kind.__name__, where)
    # collections.namedtuple has fields without annotations
    known = field_types(kind) or dict.fromkeys(getattr(kind, "_fields", ()), Any)
    fields: dict[str, Any] = {}
    for name, item in cast("Mapping[Any, Any]", value).items():
        if name not in known:
            raise TypeError(f"{where}: {kind.__name__} has no field {name!r}; its fields are {', '.join(known)}")
        fields[name] = coerce(item, known[name], f"{where}.{name}")
    missing = sorted(required - fields.keys())
    if missing:
        raise TypeError(f"{where}: the field {missing[0]!r} of {kind.__name__} is missing")
    try:
        return make(**fields)
    except (TypeError, ValueError) as error:
        kept = TypeError if isinstance(error, TypeError) else ValueError
        raise kept(f"{where}: {error}") from error


def _named(value: Any, kind: Any, where: str) -> Any:
    if isinstance(value, (list, tuple)):
        items = list(cast("list[Any]", value))
        if len(items) > len(kind._fields):
            raise ValueError(f"{where}: expected {len(kind._fields)} items, got {len(items)}")
        value = dict(zip(kind._fields, items, strict=False))
    return _record(value, kind, where, set(kind._fields) - set(kind._field_defaults), kind)


def _dataclass(value: Any, kind: Any, where: str) -> Any:
    missing, required = dataclasses.MISSING, set[str]()
    for field in dataclasses.fields(kind):
        if field.init and field.default is missing and field.default_factory is missing:
            required.add(field.name)
    return _record(value, kind, where, required, kind)


def _model(value: Any, kind: Any, where: str) -> Any:
    try:
        return kind.model_validate(value)
    except ValueError as error:
        errors = getattr(error, "errors", None)
        if errors is None:
            raise ValueError(f"{where}: {error}") from error
        problem = errors()[0]
        steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in problem["loc"])
        raise ValueError(f"{where}{steps}: {problem['msg']}") from error
