"""The classes of exceptions that arrive: the original type and RemoteError at once, both are caught."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from operator_lib import core, errors
from operator_lib.errors import RemoteError

_HEAP_TYPE = 1 << 9  # set in ``__flags__`` of every class made by Python code
_NOT_IMPORTED = frozenset({"antigravity", "this", "test", "idlelib", "turtledemo", "lib2to3"})


class Arrived(RemoteError):
    """Mixed into the original type. Text and repr are as they were, whatever its own methods need."""

    remote_data: Mapping[str, Any]

    def __init_subclass__(cls, **options: object) -> None:
        """Ends here: the ``__init_subclass__`` of a user's exception is not meant for this copy of it."""

    def __str__(self) -> str:
        return self.remote_data["text"]

    def __repr__(self) -> str:
        return self.remote_data["repr"]

    def _render_traceback_(self) -> list[str]:
        """IPython asks for this: see `operator_lib.notebook.errors`."""
        return core.reach("notebook.errors", "rendered")(self)

    def __reduce__(self) -> tuple[Any, ...]:
        from operator_lib.wire.failure import rebuild

        notes = {"__notes__": list(self.__notes__)} if hasattr(self, "__notes__") else {}
        return rebuild, (self.remote_data,), notes


def find_exception(module: Any, qualname: Any) -> type[Exception] | None:
    """The exception class of that name when it can be had without importing anything new; None otherwise.

    New is what is neither part of the standard library nor of a package that is loaded already.
    """
    if type(module) is not str or type(qualname) is not str:
        return None
    names: Any = vars(_module(module) or object)
    found: Any = None
    for part in qualname.split("."):
        found = names.get(part)
        names = vars(found) if isinstance(found, type) else {}
    is_class = isinstance(found, type) and issubclass(found, Exception)
    return found if is_class and found.__qualname__ == qualname else None


def _module(name: str) -> Any:
    if name in sys.modules:
        return sys.modules[name]
    parts = name.split(".")
    known = parts[0] in sys.modules or parts[0] in sys.stdlib_module_names
    if not known or parts[0] in _NOT_IMPORTED or any(part.startswith("__") for part in parts):
        return None
    if not all(part.isidentifier() for part in parts):
        return None
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit):
        return None


def is_own(kind: type) -> bool:
    """Whether the class is one of `operator_lib.errors`."""
    return kind.__module__ == errors.__name__


def static_base(kind: type) -> Any:
    """The base written in C that decides the memory layout: the only one whose constructor is safe to call."""
    while kind.__flags__ & _HEAP_TYPE and kind.__base__ is not None:
        kind = kind.__base__
    return kind


@lru_cache(maxsize=1024)
def arrived_type(kind: type[Exception]) -> type[Exception]:
    """The class that is both `Arrived` and ``kind``; of its first suitable base when ``kind`` cannot be
    derived from.
    """
    group = issubclass(kind, BaseExceptionGroup)
    for base in kind.__mro__:
        if not issubclass(base, Exception):
            break
        body = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
        bases = (Arrived,) if issubclass(Arrived, base) else (Arrived, base)
        try:
            metaclass: Any = type(kind)
            made: Any = metaclass(kind.__name__, bases, body)
            if not group:
                static_base(made).__new__(made)  # refused where the layout belongs to a C extension
            return made
        except Exception:  # final classes, and metaclasses that want to know more
            continue
    return Arrived
