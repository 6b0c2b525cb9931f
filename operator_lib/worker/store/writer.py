"""One thread that writes, with group commit: what waits together is made durable together.

A durable commit costs a disk flush however much is in it, so a burst of submits costs few flushes. One that fails
leaves its neighbours alone: by a savepoint, or by a transaction for each. Nobody is told before the commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from operator_lib.worker.store.base import StoreError
from operator_lib.worker.store.connection import Connection, T

Operation = Callable[[Connection], Any]
LARGEST_BATCH = 200


@dataclass(slots=True)
class Waiting:
    """An operation, and what came of it."""

    operation: Operation
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class Writer:
    """Carries operations out in the order they came, in a thread of its own.

    Args:
        name: of the database, for people.
        together: carries out several in one transaction, and notes on each what came of it; False when the
            transaction was lost, and with it all of them.
        end: lets go of the connection.
    """

    def __init__(self, name: str, together: Callable[[list[Waiting]], bool], end: Callable[[], None]) -> None:
        self.name = name
        self.together = together
        self.end = end
        self.queue: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self.closed = False
        self.thread = threading.Thread(target=self._loop, name="store-writer", daemon=True)
        self.thread.start()

    async def write(self, operation: Callable[[Connection], T]) -> T:
        """Durable when it returns. Cancelling the caller does not stop the write.

        Raises:
            StoreError: nothing of it was kept.
        """
        if self.closed:
            raise StoreError(f"the store {self.name} is closed")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.queue.put(Waiting(operation, future))
        return await future

    def close(self) -> None:
        """Write what is waiting, then end the thread and the connection."""
        if not self.closed:
            self.closed = True
            self.queue.put(None)
        self.thread.join()

    def _loop(self) -> None:
        going = True
        while going:
            batch: list[Waiting] = []
            item = self.queue.get()
            while True:
                if item is None:
                    going = False
                    break
                batch.append(item)
                if len(batch) == LARGEST_BATCH:
                    break
                try:
                    item = self.queue.get_nowait()
                except queue.Empty:
                    break
            if batch:
                self._run(batch)
                self._tell(batch)
        self.end()
        self._refuse_the_rest()

    def _refuse_the_rest(self) -> None:
        late: list[Waiting] = []
        with contextlib.suppress(queue.Empty):
            while True:
                item = self.queue.get_nowait()
                if item is not None:
                    item.error = StoreError(f"the store {self.name} is closed")
                    late.append(item)
        self._tell(late)

    def _run(self, batch: list[Waiting]) -> None:
        if self.together(batch) or len(batch) == 1:
            return
        # The transaction as a whole was lost, perhaps by one operation (a large row on a nearly full disk):
        # give each its own chance.
        for waiting in batch:
            waiting.error = None
            self.together([waiting])

    def _tell(self, batch: list[Waiting]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[Waiting]] = {}
        for waiting in batch:
            by_loop.setdefault(waiting.future.get_loop(), []).append(waiting)
        for loop, members in by_loop.items():
            try:
                loop.call_soon_threadsafe(_resolve, members)
            except RuntimeError:
                # The loop is gone, and with it everybody who was waiting.
                continue


def _resolve(members: list[Waiting]) -> None:
    for waiting in members:
        if waiting.future.done():
            continue
        if waiting.error is not None:
            waiting.future.set_exception(waiting.error)
        else:
            waiting.future.set_result(waiting.result)
