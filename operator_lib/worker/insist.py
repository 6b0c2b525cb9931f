"""Using the store until it can be used: what has happened is recorded, however long its disk is full or it is away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from operator_lib.worker.reserve import Reserve
from operator_lib.worker.store.base import StoreError

log = logging.getLogger("operator_lib.worker")
T = TypeVar("T")

# Seconds between tries while the store cannot be written (a full disk).
STORE_PAUSE = 1.0


class Insist:
    """``await insist(write)``: again and again, until it is done or the worker is going."""

    def __init__(self, reserve: Reserve, closed: asyncio.Event) -> None:
        self._reserve = reserve
        self._closed = closed

    async def __call__(self, write: Callable[[], Awaitable[T]]) -> T:
        """What `write` gives.

        Raises:
            StoreError: the worker is going; the next one finds the outcome where the process has left it.
        """
        while True:
            try:
                written = await write()
                self._reserve.hold()
                return written
            except StoreError as problem:
                if self._reserve.release():
                    continue
                if self._closed.is_set():
                    raise
                log.warning("worker: %s", problem)
                await asyncio.sleep(STORE_PAUSE)
