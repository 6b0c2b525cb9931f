"""Which functions and models a function calls: found in its code, that of others of its project included."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from operator_lib.project import locate_module


def callees(target: Any, kind: type) -> list[Any]:
    """Functions and models that `target` names, directly or not: objects of `kind`, or classes derived from it."""
    start = plain(target)
    root = locate_module(start.__module__).root
    seen = {id(start), id(target)}
    found: list[Any] = []
    todo = [start]
    while todo:
        for used in _used(todo.pop()):
            if id(used) in seen:
                continue
            seen.add(id(used))
            own = plain(used)
            module: Any = getattr(own, "__module__", None)
            if not isinstance(own, FunctionType | type) or not module or locate_module(module).root != root:
                continue
            if isinstance(used, kind) or (isinstance(used, type) and issubclass(used, kind) and has_header(used)):
                found.append(used)
            todo.append(own)
    return found


def plain(target: Any) -> Any:
    """The user's own function or class."""
    if isinstance(target, type):
        return target
    return getattr(target, "__dict__", {}).get("__wrapped__") or (
        target if isinstance(target, FunctionType) else type(target)
    )


def has_header(kind: type) -> bool:
    """Whether a class was made a model itself, and not only one that it is derived from."""
    return "__wrapped_class__" in vars(kind)


def _used(target: Any) -> Iterator[Any]:
    """What a function, or the methods of a class, get at by a name."""
    if isinstance(target, type):
        for member in list(vars(target).values()):
            function = inspect.unwrap(member.__func__) if isinstance(member, staticmethod | classmethod) else member
            if isinstance(function, FunctionType):
                yield from _used(function)
        yield from target.__bases__
        return
    for cell in target.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not set yet
            continue
    names = list(_names(target.__code__))
    for name in names:
        value = target.__globals__.get(name)
        yield value
        if isinstance(value, ModuleType):
            yield from (vars(value)[other] for other in names if other in vars(value))


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
