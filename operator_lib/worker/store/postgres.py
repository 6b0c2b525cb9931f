"""The store in PostgreSQL: the same statements as in SQLite, a thread that writes with group commit, some that read.

A connection that breaks is made again. Whether a transaction was committed whose answer was lost is asked of the
server (`pg_xact_status`), so that nothing is written twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from operator_lib.worker.store import postgres_schema
from operator_lib.worker.store.base import StoreAway, StoreError
from operator_lib.worker.store.connection import Connection, T
from operator_lib.worker.store.postgres_link import PATIENCE, PAUSE, Address, Link, Statements, words
from operator_lib.worker.store.sql import SqlStore
from operator_lib.worker.store.workers import CHANNEL
from operator_lib.worker.store.writer import Waiting, Writer

if TYPE_CHECKING:
    import psycopg

# Threads that read, a connection each.
READERS = 4
# How often a change is tried that came across another worker's.
CLASHES = 5


class PostgresStore(SqlStore):
    """A store in a database that several workers may share.

    Args:
        url: ``postgresql://USER@HOST:PORT/DATABASE``; whatever libpq understands, passwords from its files too.

    Raises:
        StoreError: the database cannot be reached or used, or a newer release has written it.
    """

    def __init__(self, url: str) -> None:
        self._engine = PostgresEngine(Address.of(url))
        super().__init__(self._engine)

    def link(self) -> Link:
        """A connection more, for a thread of its own."""
        return Link(self._engine.address)

    def tell_others(self, there: bool) -> None:
        """Whether there are other workers, who want to know of changes."""
        self._engine.telling = there


class PostgresEngine:
    """See `connection.Engine`."""

    def __init__(self, address: Address) -> None:
        self.name = address.shown
        self.commits = 0
        self.shared = True
        self.telling = False  # of changes, for other workers: nobody listens while there is one
        self.address = address
        self._link = Link(address)
        postgres_schema.prepare(self._link)
        self._links: list[Link] = []
        self._own = threading.local()
        self._readers = ThreadPoolExecutor(READERS, "store-reader")
        self._writer = Writer(self.name, self._together, self._link.drop)

    async def write(self, operation: Callable[[Connection], T], about: str = "") -> T:
        if not about or not self.telling:
            return await self._writer.write(operation)

        def told(connection: Connection) -> T:
            found = operation(connection)
            connection.execute("SELECT pg_notify(?, ?)", (CHANNEL, about))  # heard when it is committed
            return found

        return await self._writer.write(told)

    async def read(self, operation: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, operation)

    def _read(self, operation: Callable[[Connection], T]) -> T:
        link: Link | None = getattr(self._own, "link", None)
        if link is None:
            link = self._own.link = Link(self.address)
            self._links.append(link)
        return link.read(operation)

    def close(self) -> None:
        self._writer.close()
        self._readers.shutdown()
        for link in self._links:
            link.drop()

    # --- writing, in its thread ----------------------------------------------------------------------------------

    def _together(self, batch: list[Waiting]) -> bool:
        """One transaction. False when it was lost, and each member may be tried alone: savepoints between them would
        be a trip to the server each, and hardly any fails.
        """
        import psycopg

        end, clashes = time.monotonic() + PATIENCE, 0
        while True:
            number = 0
            for waiting in batch:
                waiting.error = None
            try:
                raw = self._link.open()
                begun = _begin(raw)
                for waiting in batch:
                    waiting.result = waiting.operation(Statements(raw))
                number = begun
                raw.execute("COMMIT")
                self.commits += 1
                return True
            except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction) as error:
                if not self._link.lost(error):
                    self._undo()
                    clashes += 1
                    if isinstance(error, _clashes()) and len(batch) == 1 and clashes < CLASHES:
                        continue
                    return self._failed(batch, StoreError(self._in_words(error)))
                self._link.drop()
                if number and (kept := self._kept(number, end, error)) is not False:
                    return kept is True or self._away(batch, kept)
                if time.monotonic() > end:
                    return self._away(batch, self._link.away(error))
                time.sleep(PAUSE)
            except BaseException as error:
                self._undo()
                theirs = isinstance(error, psycopg.Error)
                return self._failed(batch, StoreError(self._in_words(error)) if theirs else error)

    def _undo(self) -> None:
        import psycopg

        try:
            self._link.open().execute("ROLLBACK")
        except psycopg.Error:
            self._link.drop()

    def _kept(self, number: int, end: float, error: Exception) -> bool | StoreAway:
        """Whether the transaction of that number was committed, when the answer did not come any more."""
        import psycopg

        while time.monotonic() < end:
            with contextlib.suppress(psycopg.OperationalError, psycopg.InterfaceError):
                query = "SELECT pg_xact_status(%s::text::xid8)"
                found = self._link.open().execute(query, [str(number)]).fetchone()
                status = found[0] if found else None
                if status in ("committed", "aborted"):
                    self.commits += status == "committed"
                    return status == "committed"
                if status is None:
                    break
            time.sleep(PAUSE)
        about = (
            "it was lost in the middle of a commit, and whether that was kept is not known: look before you repeat it"
        )
        return self._link.away(error, about)

    def _away(self, batch: list[Waiting], error: StoreAway) -> bool:
        """Nobody is tried again alone: the database is not there for anybody."""
        self._failed(batch, error)
        return True

    def _failed(self, batch: list[Waiting], error: BaseException) -> bool:
        for waiting in batch:
            waiting.error = error
        return False

    def _in_words(self, error: BaseException) -> str:
        state = getattr(error, "sqlstate", None)
        more = {
            "53100": "the disk of the database is full; free some space, the worker goes on by itself then",
            "55P03": "another program has locked it for over 5 seconds; close that program",
        }
        known = words(error) if isinstance(error, Exception) else str(error)
        return f"the change could not be written to {self.name}: {more.get(str(state), known)}"


def _begin(raw: psycopg.Connection[Any]) -> int:
    """A transaction; its number, by which the server knows what became of it. One trip."""
    cursor = raw.execute("BEGIN; SELECT pg_current_xact_id()::text")
    cursor.nextset()
    found = cursor.fetchone()
    assert found is not None
    return int(found[0])


def _clashes() -> tuple[type[Exception], ...]:
    """Errors that are over when the transaction is tried again."""
    from psycopg import errors

    return errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable
