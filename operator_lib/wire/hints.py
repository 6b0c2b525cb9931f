"""Walking type annotations: what the parts of an annotated value are expected to be.

``Hints`` is a flat tuple of alternatives: ``Optional[list[A]]`` has the alternatives ``list[A]`` and
``NoneType``.
"""

from __future__ import annotations

import builtins
import collections.abc
import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Union, cast, get_args, get_origin

Hints = tuple[Any, ...]

_NO_NAMES: Mapping[str, Any] = {}
_WRAPPERS = frozenset({typing.Annotated, typing.ClassVar, typing.Final, typing.Required, typing.NotRequired})
_MAPPINGS = (collections.abc.Mapping,)
_ITERABLES = (collections.abc.Iterable, collections.abc.Iterator, collections.abc.AsyncIterable)


def arms(hint: Any) -> Hints:
    """The alternatives of a hint; the wrappers around them (Annotated, NewType, aliases, TypeVar) are taken
    off.
    """
    return tuple(_arms(hint, 20))


def _arms(hint: Any, depth: int) -> Iterator[Any]:
    if depth == 0 or hint is None or hint is inspect.Parameter.empty or hint is Any or isinstance(hint, str):
        return
    origin = get_origin(hint)
    if origin is Union or origin is types.UnionType:
        for arm in get_args(hint):
            yield from _arms(arm, depth - 1)
    elif origin in _WRAPPERS:
        yield from _arms(get_args(hint)[0], depth - 1)
    elif isinstance(hint, typing.NewType):
        yield from _arms(hint.__supertype__, depth - 1)
    elif isinstance(hint, typing.TypeVar):
        yield from _arms(hint.__bound__, depth - 1)
        for bound in hint.__constraints__:
            yield from _arms(bound, depth - 1)
    elif type(hint).__name__ == "TypeAliasType":
        yield from _arms(hint.__value__, depth - 1)
    else:
        yield hint


def classes(hints: Hints) -> Iterator[type]:
    """The classes among the alternatives; ``Box[int]`` counts as ``Box``."""
    for hint in hints:
        kind = get_origin(hint) or hint
        if isinstance(kind, type):
            yield kind


def item_hints(hints: Hints, index: int) -> Hints:
    """What item ``index`` of a list, tuple or set is expected to be."""
    found: list[Any] = []
    for hint in hints:
        origin, args = get_origin(hint), get_args(hint)
        if origin is tuple and not (len(args) == 2 and args[1] is Ellipsis):
            found.extend(arms(args[index]) if index < len(args) else ())
        elif isinstance(origin, type) and args and issubclass(origin, (tuple, *_ITERABLES)):
            found.extend(arms(args[0]))
    return tuple(found)


def value_hints(hints: Hints) -> Hints:
    """What the values of a dict are expected to be."""
    found: list[Any] = []
    for hint in hints:
        origin, args = get_origin(hint), get_args(hint)
        if isinstance(origin, type) and len(args) == 2 and issubclass(origin, _MAPPINGS):
            found.extend(arms(args[1]))
    return tuple(found)


def key_hints(hints: Hints) -> Hints:
    """What the keys of a dict are expected to be."""
    found: list[Any] = []
    for hint in hints:
        origin, args = get_origin(hint), get_args(hint)
        if isinstance(origin, type) and args and issubclass(origin, _MAPPINGS):
            found.extend(arms(args[0]))
    return tuple(found)


def field_types(kind: type) -> dict[str, Any]:
    """Resolved annotations of a class; those that cannot be resolved are left out."""
    try:
        return typing.get_type_hints(kind, include_extras=True)
    except Exception:
        found: dict[str, Any] = {}
        for base in reversed(kind.__mro__):
            names = vars(inspect.getmodule(base) or object)
            for name, hint in inspect.get_annotations(base).items():
                resolved = resolve(hint, names)
                if resolved is not None:
                    found[name] = resolved
        return found


@lru_cache(maxsize=512)
def field_hints(kind: type) -> dict[str, Hints]:
    """The alternatives of every annotated field of a dataclass, a model or a named tuple."""
    return {name: arms(hint) for name, hint in field_types(kind).items()}


def resolve(hint: Any, namespace: Mapping[str, Any] | None) -> Any:
    """An annotation as an object; strings are looked up in ``namespace``. None when that fails.

    The strings come from the source of the function that is called, never from the wire.
    """
    if isinstance(hint, str):
        try:
            return eval(hint, {"__builtins__": builtins}, namespace or _NO_NAMES)
        except Exception:
            return None
    if isinstance(hint, typing.ForwardRef):
        return resolve(hint.__forward_arg__, namespace)
    return None if hint is inspect.Parameter.empty else hint


def parameter_hint(
    signature: inspect.Signature | None, namespace: Mapping[str, Any] | None
) -> Callable[[int | str], Any]:
    """From a position or a keyword to the resolved annotation of its parameter, None without one."""
    if signature is None:
        return lambda place: None
    parameters = signature.parameters
    positional = [p for p in parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = {p.kind: p for p in parameters.values() if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}

    def hint(place: int | str) -> Any:
        if isinstance(place, int):
            found = positional[place] if place < len(positional) else rest.get(inspect.Parameter.VAR_POSITIONAL)
        else:
            found = parameters.get(place)
            if found is None or found.kind in (
                found.POSITIONAL_ONLY,
                found.VAR_POSITIONAL,
                found.VAR_KEYWORD,
            ):
                found = rest.get(inspect.Parameter.VAR_KEYWORD)
        return None if found is None else resolve(found.annotation, namespace)

    return hint


def is_named_tuple(kind: type) -> bool:
    fields = getattr(kind, "_fields", None)
    return issubclass(kind, tuple) and isinstance(fields, tuple) and all(type(f) is str for f in cast("Any", fields))


def is_dataclass(kind: type) -> bool:
    return dataclasses.is_dataclass(kind)
