"""Coroutines and async generators for callers that wait: in a thread beside theirs, which may have a loop that runs."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from operator_lib.engine.turn import on_behalf


def settled(value: Any) -> Any:
    """What a call gives: of a coroutine its result, of an async generator a generator."""
    if inspect.isasyncgen(value):
        return drawn(value)
    if not inspect.iscoroutine(value):
        return value
    with ThreadPoolExecutor(1, "coroutine") as aside:
        return aside.submit(on_behalf(lambda: asyncio.run(value))).result()


def drawn(items: AsyncGenerator[Any, Any]) -> Generator[Any, Any, None]:
    """Items of an async generator, each made when it is asked for. What it is sent, the async generator is sent."""
    with ThreadPoolExecutor(1, "items") as aside, contextlib.ExitStack() as stack:
        runner = asyncio.Runner()  # makes its loop in the thread that first uses it

        def in_turn(coroutine: Any) -> Any:
            return aside.submit(on_behalf(lambda: runner.run(coroutine))).result()

        stack.callback(lambda: aside.submit(runner.close).result())
        stack.callback(lambda: in_turn(_close(items)))
        sent: Any = None
        while True:
            try:
                item = in_turn(_next(items, sent))
            except StopAsyncIteration:
                return
            sent = yield item


async def _next(items: AsyncGenerator[Any, Any], sent: Any) -> Any:
    return await items.asend(sent)


async def _close(items: AsyncGenerator[Any, Any]) -> None:
    await items.aclose()
