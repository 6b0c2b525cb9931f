"""Functions that are classes: a graph holds a stand-in for each, the object is made where the function is first called.

What a constructor loads is needed there only: not by the program that deploys the graph, and not for functions that are
never reached.
"""

from __future__ import annotations

import inspect
import threading
import weakref
from typing import Any

_MARK = "_operator_stand_in"
# By id of the stand-in, and gone with it: the object that was made for it in this process.
_made: dict[int, Any] = {}
_lock = threading.Lock()
_turns: dict[int, Any] = {}


def stand_in(cls: type) -> Any:
    """An object of the class on which the constructor has not been called.

    Raises:
        TypeError: the constructor needs arguments.
    """
    try:
        inspect.signature(cls.__init__).bind(None)  # type: ignore[misc]
    except TypeError as problem:
        raise TypeError(f"{cls.__name__} cannot be made without arguments ({problem}); give them defaults") from None
    made: Any = object.__new__(cls)
    made.__dict__[_MARK] = True
    return made


def constructed(op: Any) -> Any:
    """The object that `op` stands for; what the constructor raises is raised to every call, until it succeeds."""
    if _MARK not in op.__dict__:
        return op
    key = id(op)
    found = _made.get(key)
    if found is not None:
        return found
    with _lock:
        if key not in _turns:
            _turns[key] = threading.Lock()
            weakref.finalize(op, _forget, key)
    with _turns[key]:
        if key not in _made:
            _made[key] = type(op)()
    return _made[key]


def _forget(key: int) -> None:
    _made.pop(key, None)
    _turns.pop(key, None)
