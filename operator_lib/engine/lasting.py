"""Calls that go on after they have returned: coroutines and generators, run piece by piece in their surroundings."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from concurrent.futures import CancelledError, Future
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, Protocol

# What has only begun when it is returned.
LASTING = frozenset({AsyncGeneratorType, CoroutineType, GeneratorType})


class Around(Protocol):
    """What a call has around it: entered before each piece of it, left after."""

    def enter(self) -> Any:
        """The token for `leave`."""
        ...

    def leave(self, token: Any) -> None: ...

    def end(self, error: BaseException | None) -> None:
        """The call is over."""
        ...


def follow(result: Any, around: Around) -> Any:
    """`result` of a call, which is over now unless it is lazy; then what comes of it later is run within `around`."""
    if inspect.iscoroutine(result):
        return _await(result, around)
    if inspect.isgenerator(result):
        return _generate(result, around)
    if inspect.isasyncgen(result):
        return _generate_async(result, around)
    if isinstance(result, Future):
        result.add_done_callback(lambda done: around.end(_problem(done)))
    else:
        around.end(None)
    return result


def _problem(done: Future[Any]) -> BaseException | None:
    return CancelledError() if done.cancelled() else done.exception()


async def _await(pending: Awaitable[Any], around: Around) -> Any:
    token = around.enter()
    try:
        result = await pending
    except BaseException as error:
        around.end(error)
        raise
    finally:
        around.leave(token)
    around.end(None)
    return result


def _generate(inner: Generator[Any, Any, Any], around: Around) -> Generator[Any, Any, Any]:
    # Not `yield from`: the surroundings hold while the inner code runs, and not between two items.
    step: Callable[[], Any] = lambda: next(inner)  # noqa: E731
    error: BaseException | None = None
    try:
        while True:
            token = around.enter()
            try:
                item = step()
            except StopIteration as stop:
                return stop.value
            finally:
                around.leave(token)
            try:
                sent = yield item
                step = lambda sent=sent: inner.send(sent)  # noqa: E731
            except GeneratorExit:
                inner.close()
                raise
            except BaseException as thrown:
                step = lambda thrown=thrown: inner.throw(thrown)  # noqa: E731
    except GeneratorExit:
        raise
    except BaseException as raised:
        error = raised
        raise
    finally:
        around.end(error)


async def _generate_async(inner: AsyncGenerator[Any, Any], around: Around) -> AsyncGenerator[Any, Any]:
    step: Callable[[], Awaitable[Any]] = inner.__anext__
    error: BaseException | None = None
    try:
        while True:
            token = around.enter()
            try:
                item = await step()
            except StopAsyncIteration:
                return
            finally:
                around.leave(token)
            try:
                sent = yield item
                step = lambda sent=sent: inner.asend(sent)  # noqa: E731
            except GeneratorExit:
                await inner.aclose()
                raise
            except BaseException as thrown:
                step = lambda thrown=thrown: inner.athrow(thrown)  # noqa: E731
    except GeneratorExit:
        raise
    except BaseException as raised:
        error = raised
        raise
    finally:
        around.end(error)
