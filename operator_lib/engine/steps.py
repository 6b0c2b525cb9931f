"""One way to write what happens around a call, for functions that are called and for those that are awaited.

The logic is a generator that yields what is to be done: `Invoke` the user's function, `Pause`. It gets back what came
of it; an exception is raised where it yielded. `drive` runs it to its end; where the function turns out to be a
coroutine function, the rest becomes a coroutine too.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Invoke:
    """Call this function; an awaitable that it returns is awaited."""

    function: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait, without holding up an event loop."""

    seconds: float


Steps = Generator[Invoke | Pause, Any, Any]


def drive(steps: Steps) -> Any:
    """What `steps` returns, or a coroutine that does."""
    value: Any = None
    error: BaseException | None = None
    while True:
        try:
            step = steps.throw(error) if error is not None else steps.send(value)
        except StopIteration as done:
            return done.value
        except RuntimeError as wrapped:
            # No StopIteration leaves a generator as it is (PEP 479); one of the user's is to.
            if not isinstance(error, StopIteration) or wrapped.__cause__ is not error:
                raise
            step = None
        if step is None:
            assert error is not None
            raise error
        value, error = None, None
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            continue
        try:
            value = step.function()
        except BaseException as raised:
            error = raised
            continue
        if inspect.iscoroutine(value):
            return _drive(steps, value)


async def _drive(steps: Steps, pending: Awaitable[Any]) -> Any:
    waiting: Awaitable[Any] | None = pending
    value: Any = None
    while True:
        error: BaseException | None = None
        if waiting is not None:
            try:
                value = await waiting
            except BaseException as raised:
                error = raised
            waiting = None
        try:
            step = steps.throw(error) if error is not None else steps.send(value)
        except StopIteration as done:
            return done.value
        value = None
        if isinstance(step, Pause):
            waiting = asyncio.sleep(step.seconds)
        else:
            waiting = _awaited(step.function)


def _awaited(function: Callable[[], Any]) -> Coroutine[Any, Any, Any]:
    async def run() -> Any:
        made = function()
        return await made if inspect.iscoroutine(made) else made

    return run()
