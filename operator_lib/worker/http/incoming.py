"""A request's body as it comes, from callers who may stop in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from starlette.types import Receive

from operator_lib.worker.http.errors import CallerGone, Refusal
from operator_lib.worker.http.patrol import Patrol

# Seconds after which a caller who sends nothing more of a body is given up.
IDLE = 60.0

_given_up: set[asyncio.Task[Any]] = set()


async def message(receive: Receive) -> tuple[bytes, bool]:
    """The next piece of the body, and whether there is more.

    Raises:
        Refusal: 408, nothing came for a while.
        CallerGone: the caller went away before its end.
    """
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    _reading.enter(task, loop)
    try:
        found = await receive()
    except asyncio.CancelledError:
        if task not in _given_up:
            raise
        task.uncancel()
        raise Refusal(408, "RequestTimeout", f"no more of the body came for {IDLE:g} s") from None
    finally:
        _reading.leave(task)
        _given_up.discard(task)
    if found["type"] == "http.disconnect":
        raise CallerGone
    return found.get("body", b""), found.get("more_body", False)


def _look(task: asyncio.Task[Any], since: float) -> None:
    if task.get_loop().time() - since > IDLE:
        _reading.leave(task)
        _given_up.add(task)
        task.cancel()


_reading: Patrol[asyncio.Task[Any]] = Patrol(IDLE / 10, _look)


async def chunks(receive: Receive) -> AsyncGenerator[bytes]:
    """All pieces. Raises as `message` does."""
    more = True
    while more:
        data, more = await message(receive)
        if data:
            yield data
