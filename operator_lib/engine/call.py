"""One call of one operator with its options and under a recorder: local calls, jobs and servings all pass here."""

from __future__ import annotations

import asyncio
import copy
import inspect
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any

from operator_lib import decorator, options, tree
from operator_lib.engine import record
from operator_lib.engine.record import Frame, current
from operator_lib.errors import OptionError, RequestError
from operator_lib.options import Retries


def call(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`op.forward` with the options of `op`, recorded when somebody listens."""
    parent = current.get() or record.process_frame
    run = _with_options(op) if op._managed else op.forward
    if parent is None:
        return run(*args, **kwargs)
    recorder = parent.recorder
    frame, begun = recorder.start(op, parent)
    token = current.set(frame)
    try:
        result = run(*args, **kwargs)
    except BaseException as error:
        recorder.end(frame, begun, error)
        raise
    finally:
        current.reset(token)
    if inspect.iscoroutine(result):
        return _await(result, frame, begun)
    if inspect.isgenerator(result):
        return _generate(result, frame, begun)
    if inspect.isasyncgen(result):
        return _generate_async(result, frame, begun)
    recorder.end(frame, begun)
    return result


async def _await(pending: Awaitable[Any], frame: Frame, begun: float) -> Any:
    token = current.set(frame)
    try:
        result = await pending
    except BaseException as error:
        frame.recorder.end(frame, begun, error)
        raise
    finally:
        current.reset(token)
    frame.recorder.end(frame, begun)
    return result


def _generate(inner: Generator[Any, Any, Any], frame: Frame, begun: float) -> Generator[Any, Any, Any]:
    # Not `yield from`: the frame must be current while the inner code runs, and not between two items.
    step: Callable[[], Any] = lambda: next(inner)  # noqa: E731
    error: BaseException | None = None
    try:
        while True:
            token = current.set(frame)
            try:
                item = step()
            except StopIteration as stop:
                return stop.value
            finally:
                current.reset(token)
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
        frame.recorder.end(frame, begun, error)


async def _generate_async(inner: AsyncGenerator[Any, Any], frame: Frame, begun: float) -> AsyncGenerator[Any, Any]:
    step: Callable[[], Awaitable[Any]] = inner.__anext__
    error: BaseException | None = None
    try:
        while True:
            token = current.set(frame)
            try:
                item = await step()
            except StopAsyncIteration:
                return
            finally:
                current.reset(token)
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
        frame.recorder.end(frame, begun, error)


# --- options -----------------------------------------------------------------------------------------------------


def with_options(op: Any, given: dict[str, Any]) -> Any:
    """`Operator.with_options`."""
    merged = options.with_given(options.of(op), tree.name_of(op), **given)
    new = copy.copy(op)
    new.__dict__["_options"] = merged
    new.__dict__["_managed"] = decorator.manage(merged)
    return new


def _with_options(op: Any) -> Callable[..., Any]:
    chosen = options.of(op)
    if chosen is None:
        return op.forward
    for name in ("cacheable", "accumulate", "use_ctx"):
        if getattr(chosen, name, None):
            raise OptionError(f"{chosen.name or tree.name_of(op)}.{name}: this release cannot apply it; leave it out")
    policy = chosen.retries
    return op.forward if policy is None or not policy.max_retries else _retrying(op.forward, policy)


def _retrying(function: Callable[..., Any], policy: Retries) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        for attempt in range(policy.max_retries + 1):
            fresh_args, fresh_kwargs = _fresh(args, kwargs, last=attempt == policy.max_retries)
            try:
                result = function(*fresh_args, **fresh_kwargs)
            except policy.retry_on as error:
                if attempt == policy.max_retries or isinstance(error, RequestError):
                    raise
                time.sleep(delay(policy, attempt))
                continue
            if inspect.iscoroutine(result):
                return _retry_async(function, policy, args, kwargs, result, attempt)
            return result
        raise AssertionError("unreachable")

    return run


async def _retry_async(
    function: Callable[..., Any],
    policy: Retries,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    pending: Awaitable[Any],
    attempt: int,
) -> Any:
    while True:
        try:
            return await pending
        except policy.retry_on as error:
            if attempt == policy.max_retries or isinstance(error, RequestError):
                raise
            await asyncio.sleep(delay(policy, attempt))
        attempt += 1
        fresh_args, fresh_kwargs = _fresh(args, kwargs, last=attempt == policy.max_retries)
        pending = function(*fresh_args, **fresh_kwargs)


def _fresh(args: tuple[Any, ...], kwargs: dict[str, Any], *, last: bool) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A copy of the arguments for this attempt, so that the next one does not see what it did to them."""
    if last:
        return args, kwargs
    try:
        return copy.deepcopy((args, kwargs))
    except Exception:  # what cannot be copied is shared
        return args, kwargs


def delay(policy: Retries, attempt: int) -> float:
    """Seconds to wait after failed attempt number `attempt` (0, 1, ...)."""
    pause = min(policy.initial_delay * policy.delay_multiplier**attempt, policy.max_delay)
    return max(0.0, pause + policy.jitter * pause * (2 * random.random() - 1))
