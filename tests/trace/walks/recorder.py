"""What a program does: every call of an operator, from which place, inside which other call, and how it ended.

Knows nothing of graphs, and nothing of the library's own recorder: it takes the place of the function that the library
calls for every operator while something listens, and looks at the Python frames.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from sys import _getframe
from typing import Any
from unittest import mock

from operator_lib import core, tree
from operator_lib.engine import call as engine
from operator_lib.engine.record import listening

_PASSING = frozenset({"operator_lib.core", "operator_lib.decorator"})
_GENERATOR = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
current: ContextVar[Call | None] = ContextVar("current", default=None)


class Stop(BaseException):
    """The program has run for long enough."""


@dataclass(eq=False)
class Call:
    """One call of an operator. `place` is file name, line and column of the call expression.

    `lane` tells generators apart: what runs in the body of a generator runs when its values are taken, so it is a
    sequence of its own. 0 is the body of the operator itself. `later`: the call only made a generator or coroutine.
    """

    path: str | None
    name: str
    place: tuple[str, int, int]
    lane: int = 0
    outcome: str = "open"
    later: bool = False
    children: list[Call] = field(default_factory=list)

    def walk(self) -> Iterator[Call]:
        yield self
        for child in self.children:
            yield from child.walk()

    def __str__(self) -> str:
        inner = " ".join(map(str, self.children))
        lane = f"~{self.lane}" if self.lane else ""
        name = self.name if self.path is None else self.path
        mark = "!" if self.outcome == "raised" else ""
        return f"{name}@{self.place[1]}:{self.place[2]}{lane}{mark}" + (f"[{inner}]" if inner else "")


class Recorder:
    """Runs an operator and keeps the tree of calls in `root`."""

    def __init__(self, op: Any, limit: int) -> None:
        self.op = op
        self.limit = limit
        self.paths = tree.paths(op)
        self.root: Call | None = None
        self.handed: list[tuple[Call | None, tuple[str, int, int], int]] = []
        self.lanes: dict[Any, int] = {}
        self.ours = {f.__code__ for f in (self.call, self._values, self._awaited, self._async_values)}

    def run(self, *args: Any) -> Call:
        """Call the operator to its end, whatever that is."""
        with (
            mock.patch.object(engine, "call", self.call),
            mock.patch.object(core.Operator, "map", self._away(core.Operator.map)),
            mock.patch.object(core.Operator, "submit", self._away(core.Operator.submit)),
            listening(),
            _shallow(),
        ):
            try:
                result = self.op(*args)
                if inspect.iscoroutine(result):
                    asyncio.run(result)
                elif inspect.isgenerator(result):
                    list(result)
            except (Exception, Stop):
                pass
        assert self.root is not None
        return self.root

    def call(self, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Stands where the library's engine stands."""
        parent = current.get()
        place, lane = self._place(_getframe(1))
        if parent is None and self.handed:
            parent, place, lane = self.handed[-1]
        path = self.paths.get(id(op))
        made = Call(path, getattr(op, "__name__", type(op).__name__), place, lane)
        if parent is None:
            self.root = made
        else:
            parent.children.append(made)
        self.limit -= 1
        if self.limit < 0:
            made.outcome = "raised"
            raise Stop
        with self._inside(made, ends=False):
            result = op.forward(*args, **kwargs)
        made.later = not isinstance(result, int)
        if inspect.iscoroutine(result):
            return self._awaited(made, result)
        if inspect.isgenerator(result):
            return self._values(made, result)
        if inspect.isasyncgen(result):
            return self._async_values(made, result)
        made.outcome = "returned"
        return result

    @contextmanager
    def _inside(self, call: Call, ends: bool = True) -> Iterator[None]:
        token = current.set(call)
        try:
            yield
        except (StopIteration, StopAsyncIteration):
            raise
        except BaseException:
            call.outcome = "raised"
            raise
        finally:
            current.reset(token)
        if ends:
            call.outcome = "returned"

    async def _awaited(self, call: Call, coroutine: Any) -> Any:
        with self._inside(call):
            return await coroutine

    def _values(self, call: Call, values: Any) -> Any:
        while True:
            try:
                with self._inside(call, ends=False):
                    value = next(values)
            except StopIteration as end:
                call.outcome = "returned"
                return end.value
            yield value

    async def _async_values(self, call: Call, values: Any) -> Any:
        while True:
            try:
                with self._inside(call, ends=False):
                    value = await anext(values)
            except StopAsyncIteration:
                call.outcome = "returned"
                return
            yield value

    def _away(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """`map` and `submit` call from threads of their own: the place is where they were called."""

        def call(op: Any, *args: Any, **kwargs: Any) -> Any:
            self.handed.append((current.get(), *self._place(_getframe(1))))
            result = method(op, *args, **kwargs)
            if hasattr(result, "exception"):
                result.exception()
            self.handed.pop()
            return result

        return call

    def _place(self, frame: Any) -> tuple[tuple[str, int, int], int]:
        while frame.f_globals.get("__name__") in _PASSING:
            frame = frame.f_back
        place, lane = position(frame), 0
        while frame is not None and frame.f_code not in self.ours:
            outer = frame.f_back
            if frame.f_code.co_flags & _GENERATOR and (outer is None or outer.f_code not in self.ours):
                lane = self.lanes.setdefault(frame, len(self.lanes) + 1)
                break
            frame = outer
        return place, lane


@contextmanager
def _shallow(frames: int = 500) -> Iterator[None]:
    """A program that calls itself for ever ends early, whatever limit others have left behind."""
    limit, depth, frame = sys.getrecursionlimit(), 0, _getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    sys.setrecursionlimit(depth + frames)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def position(frame: Any) -> tuple[str, int, int]:
    """Where the call stands that this frame is making."""
    line, _, col, _ = next(itertools.islice(frame.f_code.co_positions(), frame.f_lasti // 2, None))
    return os.path.basename(frame.f_code.co_filename), line or 0, col or 0
