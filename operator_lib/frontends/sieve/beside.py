"""What is kept beside an object, not in it: nothing of it travels when the object does, nothing shows in its state."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Beside(Generic[T]):
    """One `T` for each object that is asked for, made when it is first asked for, gone when the object is."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._kept: dict[int, T] = {}  # by id: an object need not be hashable
        self._lock = threading.Lock()

    def __call__(self, target: Any) -> T:
        found = self._kept.get(id(target))
        if found is not None:
            return found
        with self._lock:
            if id(target) not in self._kept:
                self._kept[id(target)] = self._make(target)
                weakref.finalize(target, self._kept.pop, id(target), None).atexit = False
            return self._kept[id(target)]
