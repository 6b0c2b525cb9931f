"""What the functions of a graph have returned in a run, kept for `Run.output`."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from operator_lib.engine import record


class Keeper(Protocol):
    """Where the outputs of a run are kept."""

    def declare(self, names: list[str]) -> None:
        """These functions have no outputs yet."""
        ...

    def keep(self, name: str, values: list[Any]) -> None:
        """Outputs of a function, behind those that are there."""
        ...


class InProcess:
    """For runs in this process."""

    def __init__(self) -> None:
        self.found: dict[str, list[Any]] = {}
        self._lock = threading.Lock()

    def declare(self, names: list[str]) -> None:
        with self._lock:
            for name in names:
                self.found.setdefault(name, [])

    def keep(self, name: str, values: list[Any]) -> None:
        with self._lock:
            self.found.setdefault(name, []).extend(values)


current: ContextVar[Keeper | None] = ContextVar("operator_lib_outputs", default=None)
# In a process that carries out one run every thread belongs to it.
process: Keeper | None = None


@contextmanager
def kept_by(keeper: Keeper) -> Generator[None]:
    """What runs in this block is part of a run whose outputs are kept there."""
    token = current.set(keeper)
    try:
        yield
    finally:
        current.reset(token)


class Outputs:
    """Where one call of a graph puts the outputs of its functions: by name, behind its path if it is nested."""

    def __init__(self, names: Iterable[str]) -> None:
        frame = record.here()
        self._keeper = current.get() or process
        self._prefix = f"{frame.path}." if frame is not None and frame.path else ""
        if self._keeper is not None:
            self._keeper.declare([self._prefix + name for name in names])

    @property
    def wanted(self) -> bool:
        """Whether anybody keeps them."""
        return self._keeper is not None

    def put(self, name: str, values: list[Any]) -> None:
        if self._keeper is not None and values:
            self._keeper.keep(self._prefix + name, values)

    def take_over(self, found: InProcess) -> None:
        """Those of graphs inside, which were held back until it was their turn."""
        if self._keeper is not None:
            self._keeper.declare(list(found.found))
            for name, values in found.found.items():
                if values:
                    self._keeper.keep(name, values)
