"""Whose turn it is at an object: so many calls at a time. A call that waits for another one lets others in meanwhile.

That is what keeps functions that call one another from waiting for each other for ever. Where the object has state, it
lets in only calls that it has caused itself, directly or not: calls of one chain.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator
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

    def pause(self) -> None:
        """Do without it for a while."""
        self.let_go()

    def resume(self) -> None:
        """Have it again."""
        self.take()

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
    """What this thread has, in the order in which it got it, and the chain of calls that it works for."""

    held: tuple[Hold, ...] = ()
    chain: str = ""


_mine = _Mine()


class Turn(Hold):
    """At most `limit` threads at a time."""

    def __init__(self, limit: int = 1) -> None:
        self._free: Any = threading.Lock() if limit == 1 else threading.Semaphore(limit)

    def take(self) -> None:
        self._free.acquire()

    def let_go(self) -> None:
        self._free.release()


class ChainTurn(Hold):
    """One thread at a time, in the order in which they came; those of one chain until the first of them has ended."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[tuple[object, str]] = deque()
        self._owner = ""
        self._depth = 0  # calls of the owner that have begun and not ended
        self._active = False  # one of them is at work

    def take(self) -> None:
        self._wait(1)

    def let_go(self) -> None:
        self._leave(1)

    def pause(self) -> None:
        self._leave(0)

    def resume(self) -> None:
        self._wait(0)

    def _wait(self, more: int) -> None:
        ticket = object()
        with self._changed:
            self._waiting.append((ticket, _mine.chain))
            self._changed.wait_for(lambda: self._next() is ticket)
            self._waiting.remove((ticket, _mine.chain))
            self._owner, self._active = _mine.chain, True
            self._depth += more

    def _next(self) -> object:
        if self._active:
            return None
        free = self._depth == 0
        return next((ticket for ticket, chain in self._waiting if free or chain == self._owner), None)

    def _leave(self, less: int) -> None:
        with self._changed:
            self._active = False
            self._depth -= less
            self._changed.notify_all()


def chain() -> str:
    """The chain of calls that this thread works for; empty outside of any."""
    return _mine.chain


@contextmanager
def working_for(name: str) -> Generator[None]:
    """Calls that this thread makes belong to that chain."""
    before, _mine.chain = _mine.chain, name
    try:
        yield
    finally:
        _mine.chain = before


def on_behalf(call: Callable[[], Any]) -> Callable[[], Any]:
    """A call for another thread, while this one waits for it: there it has what this thread has, and the same chain."""
    held, name = _mine.held, _mine.chain

    def acting() -> Any:
        before = _mine.held, _mine.chain
        _mine.held, _mine.chain = held, name
        try:
            return call()
        finally:
            _mine.held, _mine.chain = before

    return acting


def held(kind: type[Hold] = Hold) -> bool:
    """Whether this thread has anything of that kind."""
    return any(isinstance(item, kind) for item in _mine.held)


@contextmanager
def let_others() -> Generator[None]:
    """While this thread waits for somebody else, what it has is free for others; then it waits to get it back."""
    before, _mine.held = _mine.held, ()
    mine = list(dict.fromkeys(before))
    for item in reversed(mine):
        item.pause()
    try:
        yield
    finally:
        for item in mine:
            item.resume()
        _mine.held = before
