"""Pickling operators: what lives in files goes by reference, what lives in ``__main__`` or cells by value."""

from __future__ import annotations

import importlib
import sys
from types import FunctionType, ModuleType
from typing import IO, Any

import cloudpickle

from operator_lib.package.modules import Modules


class Pickler(cloudpickle.Pickler):
    """Collects in `by_value` the functions and classes whose code it has written out."""

    def __init__(self, file: IO[bytes], modules: Modules) -> None:
        super().__init__(file, protocol=5)
        self.modules = modules
        self.by_value: list[Any] = []
        self._spaces: dict[str, _Space] = {}

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, ModuleType):
            known = sys.modules.get(obj.__name__) is obj
            return (importlib.import_module, (self.modules.name(obj.__name__),)) if known else NotImplemented
        if issubclass(type(obj), type) or isinstance(obj, FunctionType):
            return self._code(obj)
        if "__wrapped__" in getattr(obj, "__dict__", ()) and _at(obj.__module__, obj.__qualname__) is obj:
            return attribute, (self.modules.name(obj.__module__), obj.__qualname__)
        return NotImplemented

    def _code(self, obj: Any) -> Any:
        reduced = super().reducer_override(obj)
        if reduced is NotImplemented:
            module = obj.__module__
            name = self.modules.name(module)
            return reduced if name == module else (attribute, (name, obj.__qualname__))
        if len(reduced) < 3:  # one of the interpreter's own types
            return reduced
        behind = _behind(obj)
        if behind is not None:
            return behind[0], (self.modules.name(obj.__module__), *behind[1:])
        self.by_value.append(obj)
        return self._share_globals(obj, reduced) if isinstance(obj, FunctionType) else reduced

    def _share_globals(self, function: FunctionType, reduced: Any) -> Any:
        """Let the copy live in the namespace of its module over there, not in one of its own."""
        name = function.__globals__.get("__name__")
        module = sys.modules.get(name) if isinstance(name, str) else None
        if name is None or module is None or function.__globals__ is not module.__dict__:
            return reduced
        make, (code, _, *rest), (state, slots), *others = reduced
        if name != "__main__":  # the module is imported there: its globals are as its file makes them
            slots = {**slots, "__globals__": {}, "_cloudpickle_submodules": []}
        space = self._spaces.setdefault(name, _Space(self.modules.name(name)))
        return make, (code, space, *rest), (state, slots), *others


class _Space:
    """Stands in a pickle for the globals of a module."""

    def __init__(self, module: str) -> None:
        self.module = module

    def __reduce__(self) -> Any:
        return namespace, (self.module,)


def namespace(module: str) -> dict[str, Any]:
    """The globals of `module`."""
    return sys.modules["__main__"].__dict__ if module == "__main__" else importlib.import_module(module).__dict__


def attribute(module: str, qualname: str) -> Any:
    """``module.qualname``."""
    found: Any = importlib.import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part)
    return found


def unwrapped(module: str, qualname: str, depth: int) -> Any:
    """What a decorator has wrapped: `depth` times ``__wrapped__``."""
    found = attribute(module, qualname)
    for _ in range(depth):
        found = found.__wrapped__
    return found


def ancestor(module: str, qualname: str, index: int) -> Any:
    """What a class decorator has subclassed: an entry of the ``__mro__``."""
    return attribute(module, qualname).__mro__[index]


def _at(module: Any, qualname: Any) -> Any:
    """What the name leads to in an imported module other than ``__main__``, or None."""
    if module == "__main__" or not isinstance(qualname, str):
        return None
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found


def _behind(obj: Any) -> tuple[Any, str, int] | None:
    """How to get at `obj` through the decorated thing that has taken its name."""
    found = _at(obj.__module__, obj.__qualname__)
    if isinstance(obj, type):
        if isinstance(found, type) and obj in found.__mro__:
            return ancestor, obj.__qualname__, found.__mro__.index(obj)
        return None
    for depth in range(20):
        if found is obj:
            return unwrapped, obj.__qualname__, depth
        found = getattr(found, "__dict__", {}).get("__wrapped__")
    return None
