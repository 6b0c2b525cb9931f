"""The store in an SQLite file: one connection that writes, in a thread; reads straight from the caller's thread."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

from operator_lib.errors import OperatorError
from operator_lib.worker.store import sqlite_file
from operator_lib.worker.store.base import StoreError
from operator_lib.worker.store.connection import Connection, T
from operator_lib.worker.store.lock import HomeLock
from operator_lib.worker.store.sql import SqlStore
from operator_lib.worker.store.writer import Waiting, Writer


class SqliteStore(SqlStore):
    """A store in one file. Hold the `HomeLock` of the folder first: a second process that writes would be locked out
    for as long as this one is busy.

    Raises:
        StoreError: the file is not ours, damaged, of a newer release, or not to be written.
    """

    def __init__(self, path: str | Path, lock: HomeLock | None = None) -> None:
        """`lock`: of its folder; it goes with the process."""
        self.path = Path(path)
        self.lock = lock
        super().__init__(SqliteEngine(self.path))


class SqliteEngine:
    """See `connection.Engine`."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.commits = 0
        self.shared = False
        self._connection = sqlite_file.writer(path)
        try:
            self._reader = sqlite_file.reader(path)
        except StoreError:
            self._connection.close()
            raise
        self._writer = Writer(self.name, self._together, self._connection.close)

    async def write(self, operation: Callable[[Connection], T], about: str = "") -> T:
        return await self._writer.write(operation)

    async def read(self, operation: Callable[[Connection], T]) -> T:
        """At once: a read takes microseconds, less than a way to another thread and back."""
        try:
            return operation(self._reader)
        except sqlite3.Error as error:
            raise StoreError(f"the store {self.name} cannot be read: {error}") from error

    def close(self) -> None:
        self._writer.close()
        self._reader.close()

    def _together(self, batch: list[Waiting]) -> bool:
        """One transaction. False when it was lost; the error is then on every member."""
        connection = self._connection
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

    def _one(self, waiting: Waiting) -> None:
        connection = self._connection
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
        failure = StoreError(f"the change could not be written to {self.name}: {words}")
        failure.__cause__ = error
        return failure
