"""Whose turn it is at an object: so many calls at a time. A call that waits for another one lets others in meanwhile.

That is what keeps functions that call one another from waiting for each other for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any


class Hold:
    """Something that a thread has for a while, and can do without while it waits: a context manager.

    A thread that has it already may enter again.
    """

    def take(self) -> None:
        """Have it; wait until it can be had."""
        raise NotImplementedError

    def let_go(self) -> None:
        """Leave it to others."""
        raise NotImplementedError

    def __enter__(self) -> None:
        before = _mine.held
        if self not in before:
            self.take()
        _mine.held = (*before, self)

    def __exit__(self, *exception: object) -> None:
        *before, _ = _mine.held
        _mine.held = tuple(before)
        if self not in before:
            self.let_go()


class _Mine(threading.local):
    """What this thread has, in the order in which it got it."""

    held: tuple[Hold, ...] = ()


_mine = _Mine()


class Turn(Hold):
    """At most `limit` threads at a time."""

    def __init__(self, limit: int = 1) -> None:
        self._free: Any = threading.Lock() if limit == 1 else threading.Semaphore(limit)

    def take(self) -> None:
        self._free.acquire()

    def let_go(self) -> None:
        self._free.release()


def held(kind: type[Hold] = Hold) -> bool:
    """Whether this thread has anything of that kind."""
    return any(isinstance(item, kind) for item in _mine.held)


@contextmanager
def let_others() -> Generator[None]:
    """While this thread waits for somebody else, what it has is free for others; then it waits to get it back."""
    before, _mine.held = _mine.held, ()
    mine = list(dict.fromkeys(before))
    for item in reversed(mine):
        item.let_go()
    try:
        yield
    finally:
        for item in mine:
            item.take()
        _mine.held = before
