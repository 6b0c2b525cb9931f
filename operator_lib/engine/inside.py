"""Which call the code that runs now is part of: what the calls that it makes are numbered in."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from operator_lib.context import Memory

if TYPE_CHECKING:
    from operator_lib.engine.remembered import Remembered


class Inside:
    """One attempt of a call, as what the calls that it makes are numbered in."""

    __slots__ = ("_attempt", "_call", "_counts", "_id", "_trail")

    def __init__(self, call: Remembered | None = None, attempt: int = 1) -> None:
        """`call` None: the root of the run, or what is called by nobody."""
        self._call = call
        self._attempt = attempt
        self._id = b""
        self._trail = b""
        self._counts: dict[bytes, Iterator[int]] = {}

    def touch(self) -> None:
        """What is called here depends on the state of the run, or changes it: in another run it may do otherwise."""
        inside: Inside | None = self
        while inside is not None and inside._call is not None:
            inside._call.touched = True
            inside = inside._call.inside

    @property
    def id(self) -> bytes:
        """The same for all attempts of a call: what one of them has finished holds for the next."""
        if not self._id:
            self._id = bytes(16) if self._call is None else self._call.place()
        return self._id

    @property
    def trail(self) -> bytes:
        """Which attempt of which attempt it is: another one has a right to its own failures."""
        if not self._trail:
            self._trail = bytes(16) if self._call is None else self._call.trail(self._attempt)
        return self._trail

    def enter(self) -> Any:
        """Calls are made inside of this one from here on: see `lasting.Around`."""
        return current.set(self)

    def leave(self, token: Any) -> None:
        current.reset(token)

    def end(self, error: BaseException | None) -> None:
        pass

    def number(self, key: bytes) -> int:
        """Which of the calls with this key it is that begins now."""
        counter = self._counts.get(key)
        if counter is None:
            counter = self._counts.setdefault(key, itertools.count())
        return next(counter)


current: ContextVar[Inside | None] = ContextVar("operator_lib_inside", default=None)
# Calls may depend on the state of the run, and it is not known which.
blurred = False


class Noticed:
    """The state of a run, of which it is noticed which calls use it."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def load(self, key: str) -> Any:
        _notice()
        return self._memory.load(key)

    def store(self, key: str, value: Any) -> None:
        _notice()
        self._memory.store(key, value)


def _notice() -> None:
    global blurred
    inside = current.get()
    if inside is not None:
        inside.touch()
    elif threading.current_thread() is not threading.main_thread():
        blurred = True
