"""One thread that writes, with group commit: what waits together is made durable together.

A durable commit costs a disk flush however much is in it, so a burst of submits costs few flushes. Each
operation has a savepoint, so one that fails leaves its neighbours alone. Nobody is told before the commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from operator_lib.errors import OperatorError
from operator_lib.worker.store.base import StoreError

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], Any]
LARGEST_BATCH = 200


@dataclass(slots=True)
class _Waiting:
    operation: Operation
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class Writer:
    """Runs operations on the one writing connection, in the order they came."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.connection = connection
        self.path = path
        self.queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self.closed = False
        self.commits = 0
        self.thread = threading.Thread(target=self._loop, name="store-writer", daemon=True)
        self.thread.start()

    async def write(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """Durable when it returns. Cancelling the caller does not stop the write.

        Raises:
            StoreError: nothing of it was kept.
        """
        if self.closed:
            raise StoreError(f"the store {self.path} is closed")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.queue.put(_Waiting(operation, future))
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
            batch: list[_Waiting] = []
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
        self.connection.close()
        self._refuse_the_rest()

    def _refuse_the_rest(self) -> None:
        late: list[_Waiting] = []
        with contextlib.suppress(queue.Empty):
            while True:
                item = self.queue.get_nowait()
                if item is not None:
                    item.error = StoreError(f"the store {self.path} is closed")
                    late.append(item)
        self._tell(late)

    def _run(self, batch: list[_Waiting]) -> None:
        if self._together(batch) or len(batch) == 1:
            return
        # The transaction as a whole was lost, perhaps by one operation (a large row on a nearly full disk):
        # give each its own chance.
        for waiting in batch:
            waiting.error = None
            self._together([waiting])

    def _together(self, batch: list[_Waiting]) -> bool:
        """One transaction. False when it was lost; the error is then on every member."""
        connection = self.connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            for waiting in batch:
                self._one(waiting)
            connection.execute("COMMIT")
            self.commits += 1
        except BaseException as error:
            with contextlib.suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            for waiting in batch:
                waiting.error = self._in_words(error)
            return False
        return True

    def _one(self, waiting: _Waiting) -> None:
        connection = self.connection
        connection.execute("SAVEPOINT operation")
        try:
            waiting.result = waiting.operation(connection)
        except Exception as error:
            # On a full or failing disk SQLite may have undone the whole transaction by itself.
            if not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO operation")
            waiting.error = self._in_words(error)
        connection.execute("RELEASE operation")

    def _in_words(self, error: BaseException) -> BaseException:
        if not isinstance(error, sqlite3.Error) or isinstance(error, OperatorError):
            return error
        name = getattr(error, "sqlite_errorname", "")
        if name == "SQLITE_FULL":
            words = "the disk is full; free some space, the worker goes on by itself then"
        elif name.startswith("SQLITE_IOERR"):
            words = f"the disk reported an error ({name}); check its space, quota and health"
        elif name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            words = "another program has locked it for over 5 seconds; close that program"
        else:
            words = f"{error} ({name or type(error).__name__})"
        failure = StoreError(f"the change could not be written to {self.path}: {words}")
        failure.__cause__ = error
        return failure

    def _tell(self, batch: list[_Waiting]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
        for waiting in batch:
            by_loop.setdefault(waiting.future.get_loop(), []).append(waiting)
        for loop, members in by_loop.items():
            try:
                loop.call_soon_threadsafe(_resolve, members)
            except RuntimeError:
                # The loop is gone, and with it everybody who was waiting.
                continue


def _resolve(members: list[_Waiting]) -> None:
    for waiting in members:
        if waiting.future.done():
            continue
        if waiting.error is not None:
            waiting.future.set_exception(waiting.error)
        else:
            waiting.future.set_result(waiting.result)
