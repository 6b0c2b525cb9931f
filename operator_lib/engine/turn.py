"""Whose turn it is at an object: so many calls at a time. A call that waits for another one lets others in meanwhile.

That is what keeps functions that call one another from waiting for each other for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any


class _Held(threading.local):
    """The turns that this thread has, in the order in which it got them."""

    turns: tuple[Turn, ...] = ()


_held = _Held()


class Turn:
    """At most `limit` threads at a time, each as often as it likes: a context manager."""

    def __init__(self, limit: int = 1) -> None:
        self._free: Any = threading.Lock() if limit == 1 else threading.Semaphore(limit)

    def __enter__(self) -> None:
        before = _held.turns
        if self not in before:
            self._free.acquire()
        _held.turns = (*before, self)

    def __exit__(self, *exception: object) -> None:
        *before, _ = _held.turns
        _held.turns = tuple(before)
        if self not in before:
            self._free.release()


def held() -> bool:
    """Whether this thread has any turn."""
    return bool(_held.turns)


@contextmanager
def let_others() -> Generator[None]:
    """While this thread waits for somebody else, its turns are free for others; then it waits to get them back."""
    held, _held.turns = _held.turns, ()
    mine = list(dict.fromkeys(held))
    for turn in reversed(mine):
        turn._free.release()
    try:
        yield
    finally:
        for turn in mine:
            turn._free.acquire()
        _held.turns = held
