"""What functions and classes are made of, as they stand in memory: wrappers, descriptors, fields."""

from __future__ import annotations

import functools
import importlib.util
import inspect
import types
from typing import Any, cast

from operator_lib import core
from operator_lib.trace.keys.contents import state_of
from operator_lib.trace.keys.outside import foreign, is_outside, top

# Bases that call no method of the derived class by a name that only they know.
_SIMPLE_BASES = ("builtins", "abc", "typing", "operator_lib", "enum", "collections")


def title(thing: Any, where: str) -> str:
    return getattr(thing, "__qualname__", None) or getattr(thing, "__name__", where)


def origin(thing: Any) -> tuple[str, str]:
    """Module and full name of something from a package."""
    if isinstance(thing, types.ModuleType):
        return thing.__name__, thing.__name__
    if isinstance(thing, types.FunctionType):  # a decorator gives what it makes the names of what it decorates
        module = thing.__globals__.get("__name__", "")
        return module, f"{module}.{thing.__code__.co_qualname}"
    module = getattr(thing, "__module__", None) or ""
    return module, f"{module}.{getattr(thing, '__qualname__', '')}"


def wrapped(function: types.FunctionType) -> list[Any]:
    """What a function of a package was made around."""
    found = [cell.cell_contents for cell in function.__closure__ or () if _filled(cell)]
    return [part for part in [*found, *function.__dict__.values()] if _has_code(part)]


def _has_code(value: Any, depth: int = 0) -> bool:
    if isinstance(value, types.FunctionType | type):
        return not foreign(value) or (isinstance(value, types.FunctionType) and depth < 4 and _deeper(value, depth))
    if isinstance(value, dict | types.MappingProxyType) and depth < 4:
        return any(_has_code(v, depth + 1) for v in value.values())
    if isinstance(value, list | tuple) and depth < 4:
        return any(_has_code(v, depth + 1) for v in cast("list[Any]", value))
    return isinstance(value, core.Operator)


def _deeper(function: types.FunctionType, depth: int) -> bool:
    return any(_has_code(cell.cell_contents, depth + 1) for cell in function.__closure__ or () if _filled(cell))


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def parts(value: Any) -> tuple[Any, ...]:
    """The functions of a descriptor; any other value as it is."""
    if isinstance(value, property):
        return value.fget, value.fset, value.fdel
    if isinstance(value, staticmethod | classmethod):
        return (value.__func__,)
    if isinstance(value, functools.cached_property | functools.partialmethod):
        return (value.func, getattr(value, "args", None), getattr(value, "keywords", None))
    if inspect.ismemberdescriptor(value) or inspect.isgetsetdescriptor(value):
        return ()
    return (value,)


def is_generated(owner: Any, value: Any) -> bool:
    """Whether a method was made by `dataclasses` or the like from what is written already."""
    code = getattr(value, "__code__", None) or getattr(getattr(value, "__wrapped__", None), "__code__", None)
    return isinstance(owner, type) and "__dataclass_fields__" in vars(owner) and code is not None and (
        code.co_filename == "<string>"
    )  # fmt: skip


def model_fields(cls: type) -> dict[str, Any]:
    """Fields of a pydantic model."""
    found = vars(cls).get("__pydantic_fields__")
    return found if isinstance(found, dict) else {}


def validators(cls: type) -> list[tuple[str, Any]]:
    """What was said about methods of a pydantic model: which fields they check, and when."""
    decorators = vars(cls).get("__pydantic_decorators__")
    kinds = state_of(decorators) if decorators is not None else {}
    found = [
        (name, one) for kind in sorted(kinds) if isinstance(kinds[kind], dict) for name, one in kinds[kind].items()
    ]
    return [(name, one.info) for name, one in found]


def is_called_by_others(cls: type) -> bool:
    """Whether a base from a package may call methods that no code of the project names."""
    return any(foreign(base) and top(base.__module__) not in _SIMPLE_BASES for base in cls.__mro__)


def is_ours(module: str) -> bool:
    """Whether a module, loaded or not, is the user's."""
    try:
        spec = importlib.util.find_spec(top(module))
    except (ImportError, ValueError):
        return not is_outside(top(module))
    if spec is None:
        return False
    folders = list(spec.submodule_search_locations or ())
    return not is_outside(top(module), spec.origin or (folders[0] if folders else ""))
