"""Coroutines that run for too long are cancelled; only one that does not obey takes its process with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from operator_lib.engine.clock import Timer, late, words

# Seconds that a coroutine has to end after it was cancelled. Then its process is killed.
MOMENT = 1.0


async def limited(pending: Awaitable[Any], timer: Timer) -> Any:
    """What `pending` gives.

    Raises:
        OperatorTimeout: `timer` was over before, and it has ended at the cancellation.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # somebody else's loop drives it: its process is the only thing that can be ended
        return await pending
    timer.soften(MOMENT)
    limit = asyncio.timeout(None)

    def look() -> None:
        nonlocal waiting
        left = timer.left()  # progress, and children that were at work, have moved the end
        if left > 0:
            waiting = loop.call_later(left, look)
        else:
            limit.reschedule(loop.time())

    waiting = loop.call_later(timer.left(), look)
    try:
        async with limit:
            try:
                return await pending
            finally:
                waiting.cancel()
    except TimeoutError:
        if not limit.expired():
            raise
        raise late(timer.call, words(timer.call, timer.limit - timer.left(), timer.limit)) from None
