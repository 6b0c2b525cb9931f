"""What in an operator cannot be pickled, by the path that leads to it."""

from __future__ import annotations

from collections.abc import Iterator
from types import CellType, FunctionType
from typing import Any

from operator_lib.package.modules import Modules
from operator_lib.package.pickler import Pickler

MOST = 10


class _Sink:
    def write(self, data: Any) -> int:
        return len(data)


def offenders(obj: Any, name: str, modules: Modules) -> list[str]:
    """One line for each thing that cannot be pickled (at most ten): its path from `name`, its type, what to
    do.
    """
    found: list[str] = []
    _search(obj, name, modules, found, {})
    return found


def failure(obj: Any, modules: Modules) -> Exception | None:
    """Why `obj` cannot be pickled, or None."""
    try:
        Pickler(_Sink(), modules).dump(obj)  # type: ignore[arg-type]
    except Exception as error:  # a __reduce__ or __getstate__ of the user's may raise anything
        return error
    return None


def _search(obj: Any, path: str, modules: Modules, found: list[str], seen: dict[int, Any]) -> None:
    if id(obj) in seen or len(found) >= MOST:
        return
    seen[id(obj)] = obj
    error = failure(obj, modules)
    if error is None:
        return
    before = len(found)
    below_seen = False
    for step, child in _parts(obj, path, modules):
        below_seen = below_seen or (id(child) in seen and failure(child, modules) is not None)
        _search(child, step, modules, found, seen)
    if len(found) == before and not below_seen:
        found.append(f"{path}: {_what(obj)} cannot be pickled; {_advice(error)}")


def _parts(obj: Any, path: str, modules: Modules) -> Iterator[tuple[str, Any]]:
    """What a pickle of `obj` goes into, each with its path."""
    if isinstance(obj, dict):
        for key, value in list(obj.items()):
            yield f"{path}[{key!r}]", value
            yield f"{path}: key {key!r}", key
    elif isinstance(obj, list | tuple | set | frozenset):
        for index, value in enumerate(list(obj)):
            yield f"{path}[{index}]", value
    elif isinstance(obj, FunctionType):
        yield from _function_parts(obj, path, modules)
    elif isinstance(obj, type):
        yield from _class_parts(obj, path)
    elif isinstance(obj, staticmethod | classmethod):
        yield path, obj.__func__
    elif isinstance(obj, property):
        yield from ((path, f) for f in (obj.fget, obj.fset, obj.fdel) if f is not None)
    elif isinstance(obj, CellType):
        yield path, obj.cell_contents
    else:
        yield from _object_parts(obj, path, modules)


def _function_parts(function: FunctionType, path: str, modules: Modules) -> Iterator[tuple[str, Any]]:
    reduced = _reduced(function, modules)
    if reduced is None or len(reduced) < 3 or not isinstance(reduced[2], tuple):
        return
    slots = reduced[2][1]
    for name, value in slots.get("__globals__", {}).items():
        own_name = isinstance(value, type | FunctionType)
        yield (value.__qualname__ if own_name else f"{path}'s global {name}"), value
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield f"{path}'s variable {name}", cell.cell_contents
        except ValueError:  # not set yet
            continue
    yield from ((f"{path}'s default", value) for value in function.__defaults__ or ())
    yield from ((f"{path}'s default {name}", value) for name, value in (function.__kwdefaults__ or {}).items())
    yield from ((f"{path}.{name}", value) for name, value in function.__dict__.items())


def _class_parts(cls: type, path: str) -> Iterator[tuple[str, Any]]:
    inherited = {id(base.__dict__.get(name)) for base in cls.__bases__ for name in base.__dict__}
    for name, value in cls.__dict__.items():
        if name not in ("__dict__", "__weakref__", "_abc_impl") and id(value) not in inherited:
            yield f"{path}.{name}", value
    for base in cls.__bases__:
        yield base.__qualname__, base


def _object_parts(obj: Any, path: str, modules: Modules) -> Iterator[tuple[str, Any]]:
    yield type(obj).__qualname__, type(obj)
    reduced = _reduced(obj, modules)
    if reduced is None:
        return
    _, args, *rest = reduced
    state, listed, mapped = (*rest, None, None, None)[:3]
    for part in (*args, *(state if type(state) is tuple else (state,))):
        if isinstance(part, dict):  # attributes, or a copy of them: their names are the user's path
            for key, value in part.items():
                yield (path if key == "__wrapped__" else f"{path}.{key}"), value
        elif part is not type(obj):
            yield path, part
    yield from ((f"{path}[{n}]", item) for n, item in enumerate(listed or ()))
    yield from ((f"{path}[{key!r}]", value) for key, value in mapped or ())


def _reduced(obj: Any, modules: Modules) -> tuple[Any, ...] | None:
    pickler = Pickler(_Sink(), modules)  # type: ignore[arg-type]
    try:
        reduced = pickler.reducer_override(obj)
        if reduced is NotImplemented:
            reducer = pickler.dispatch_table.get(type(obj))
            reduced = reducer(obj) if reducer else obj.__reduce_ex__(5)
    except Exception:  # then it is itself what cannot be pickled
        return None
    return reduced if isinstance(reduced, tuple) else None


def _what(obj: Any) -> str:
    kind = obj if isinstance(obj, type) else type(obj)
    module = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}"


def _advice(error: Exception) -> str:
    advice = "build it in __remote_init__"
    usual = isinstance(error, TypeError) and str(error).startswith("cannot pickle")
    return advice if usual else f"{advice} ({type(error).__name__}: {error})"
