"""A request's body as it comes, from callers who may stop in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from starlette.types import Receive

from operator_lib.worker.http.errors import CallerGone, Refusal

# Seconds after which a caller who sends nothing more of a body is given up, and between looks at who that is: one timer
# for all costs a small call a tenth less than one for each.
IDLE = 60.0
_LOOK = 5.0

_since: dict[asyncio.Task[Any], float] = {}
_given_up: set[asyncio.Task[Any]] = set()


async def message(receive: Receive) -> tuple[bytes, bool]:
    """The next piece of the body, and whether there is more.

    Raises:
        Refusal: 408, nothing came for a while.
        CallerGone: the caller went away before its end.
    """
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    if not _since:
        loop.call_later(_LOOK, _look, loop)
    _since[task] = loop.time()
    try:
        found = await receive()
    except asyncio.CancelledError:
        if task not in _given_up:
            raise
        task.uncancel()
        raise Refusal(408, "RequestTimeout", f"no more of the body came for {IDLE:g} s") from None
    finally:
        _since.pop(task, None)
        _given_up.discard(task)
    if found["type"] == "http.disconnect":
        raise CallerGone
    return found.get("body", b""), found.get("more_body", False)


def _look(loop: asyncio.AbstractEventLoop) -> None:
    for task, since in list(_since.items()):
        if loop.time() - since > IDLE:
            del _since[task]
            _given_up.add(task)
            task.cancel()
    if _since:
        loop.call_later(_LOOK, _look, loop)


async def chunks(receive: Receive) -> AsyncGenerator[bytes]:
    """All pieces. Raises as `message` does."""
    more = True
    while more:
        data, more = await message(receive)
        if data:
            yield data
