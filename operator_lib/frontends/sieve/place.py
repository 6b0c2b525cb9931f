"""Where calls go: a serving on a worker, or this process."""

from __future__ import annotations

import math
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from typing import Any

from operator_lib.engine.turn import let_others

# Calls that wait at each process, besides those that run in it. The others wait here.
AHEAD = 1


def deployed() -> bool:
    """Whether this is a process of a worker."""
    return "OPERATOR_LIB_RUN" in os.environ


class Pushed(Future[Any]):
    """A call that was pushed. In deployed code, who waits for one lets other calls in meanwhile."""

    def result(self, timeout: float | None = None) -> Any:
        if self.done():
            return super().result(timeout)
        with let_others():
            return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        if self.done():
            return super().exception(timeout)
        with let_others():
            return super().exception(timeout)


class There:
    """A serving. Calls that are pushed go there as fast as they are answered."""

    def __init__(self, handle: Any) -> None:
        self.handle = handle
        self._waiting: deque[tuple[Pushed, Callable[[], Future[Any]]]] = deque()
        self._under_way = 0
        self._lock = threading.Lock()

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any], environment: Mapping[str, str]) -> Any:
        """Call it and wait."""
        with let_others():
            value = self.handle._caller.value("", args, kwargs, environment)
        return _items(value) if deployed() and isinstance(value, Iterator) else value

    def push(self, args: tuple[Any, ...], kwargs: dict[str, Any], environment: Mapping[str, str]) -> Pushed:
        """Have it called. The arguments are taken as they are now."""
        send = self.handle._caller.prepared("", args, kwargs, environment)
        future = Pushed()
        with self._lock:
            self._waiting.append((future, send))
        self._go_on()
        return future

    def _room(self) -> float:
        """How many may be under way. In deployed code, all: those ahead may be waiting for those behind."""
        router = self.handle._caller.router
        return math.inf if deployed() else max(1, router.width) * (AHEAD + int(router.options.get("concurrency", 1)))

    def _go_on(self) -> None:
        """Send as many as there is room for."""
        while True:
            with self._lock:
                if not self._waiting or self._under_way >= self._room():
                    return
                future, send = self._waiting.popleft()
                self._under_way += 1
            if not future.set_running_or_notify_cancel():
                self._answered(None, None)
                continue
            try:
                send().add_done_callback(lambda answer, future=future: self._answered(answer, future))
            except BaseException as error:
                future.set_exception(error)
                self._answered(None, None)

    def _answered(self, answer: Future[Any] | None, future: Pushed | None) -> None:
        with self._lock:
            self._under_way -= 1
        if answer is not None and future is not None:
            settle(future, answer.result)
            self._go_on()


def _items(items: Iterator[Any]) -> Iterator[Any]:
    """Items of a generator elsewhere, for deployed code."""
    while True:
        try:
            with let_others():
                item = next(items)
        except StopIteration as stop:
            return stop.value
        yield item


def settle(future: Future[Any], call: Callable[[], Any]) -> None:
    """What comes of a call, as the outcome of a future."""
    try:
        value = call()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(value)
