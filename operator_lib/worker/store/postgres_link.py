"""A connection to PostgreSQL that is made again when it breaks, for a while."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from operator_lib.worker.store.base import StoreAway, StoreError
from operator_lib.worker.store.connection import Connection, Cursor, T
from operator_lib.worker.store.postgres_sql import statement, values

if TYPE_CHECKING:
    import psycopg

# Seconds for which a database that does not answer is waited for, before that is an error.
PATIENCE = 10.0
# Seconds between two attempts to reach it.
PAUSE = 0.2
# Ours, apart from what other programs have in the same database.
SCHEMA = "operator_lib"
# A peer that is cut off is noticed after some seconds. A worker that stops in the middle of a change (frozen, cut off)
# must not hold up others: its transaction is ended by the server.
LINK = {"connect_timeout": "3", "keepalives_idle": "5", "keepalives_interval": "2", "keepalives_count": "2",
        "tcp_user_timeout": "6000", "application_name": "operator-lib"}  # fmt: skip
SESSION = (
    f"SET search_path = {SCHEMA}; SET idle_in_transaction_session_timeout = '5s';"
    " SET lock_timeout = '5s'; SET statement_timeout = '30s'; SET client_encoding = 'UTF8';"
    " SET default_transaction_isolation = 'read committed'"
)
INSTALL = "the store in PostgreSQL needs psycopg: pip install 'operator_lib[postgres]'"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is."""

    url: str
    shown: str
    """For people: without the password and other parameters."""

    @staticmethod
    def of(url: str) -> Address:
        """Read an URL.

        Raises:
            StoreError: it is none, or psycopg is missing. Never with a password in it.
        """
        try:
            from psycopg import ProgrammingError
            from psycopg.conninfo import conninfo_to_dict
        except ImportError as missing:
            raise StoreError(f"{INSTALL} ({missing})") from None
        try:
            parts = conninfo_to_dict(url)
        except ProgrammingError:
            form = "postgresql://USER@HOST:PORT/DATABASE"
            raise StoreError(f"--store: that is no URL of a PostgreSQL database; give one like {form}") from None
        user = f"{parts['user']}@" if parts.get("user") else ""
        port = f":{parts['port']}" if parts.get("port") else ""
        shown = f"postgresql://{user}{parts.get('host') or ''}{port}/{parts.get('dbname') or ''}"
        return Address(url, shown)


class Link:
    """One connection. Belongs to one thread at a time."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._raw: psycopg.Connection[Any] | None = None

    def open(self) -> psycopg.Connection[Any]:
        """The connection, made if need be. Raises psycopg.OperationalError."""
        import psycopg
        from psycopg.conninfo import conninfo_to_dict, make_conninfo

        if self._raw is None or self._raw.closed:
            said = conninfo_to_dict(self.address.url)
            usual = {name: value for name, value in LINK.items() if name not in said}
            self._raw = psycopg.connect(make_conninfo(self.address.url, **usual), autocommit=True)
            self._raw.execute(SESSION)
            durable = self._raw.execute("SELECT current_setting('synchronous_commit')").fetchone()
            if durable == ("off",):  # what is acknowledged is on the disk
                self._raw.execute("SET synchronous_commit = on")
        return self._raw

    def drop(self) -> None:
        """Let go of it; the next use makes a new one."""
        raw, self._raw = self._raw, None
        if raw is not None:
            with contextlib.suppress(Exception):
                raw.close()

    def lost(self, error: Exception) -> bool:
        """Whether an error means that the server went away, and not that it has refused something."""
        import psycopg

        if isinstance(error, (psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.AdminShutdown)):
            return True
        gone = self._raw is None or self._raw.closed
        return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)) and gone

    def read(self, operation: Callable[[Connection], T]) -> T:
        """Carry out what changes nothing, on a new connection where one breaks.

        Raises:
            StoreAway: the database did not answer for `PATIENCE` seconds.
            StoreError: it refuses.
        """
        import psycopg

        end = time.monotonic() + PATIENCE
        while True:
            try:
                return operation(Statements(self.open()))
            except psycopg.Error as error:
                if not self.lost(error):
                    raise StoreError(f"the store {self.address.shown} cannot be read: {words(error)}") from error
                self.drop()
                if time.monotonic() > end:
                    raise self.away(error) from error
            time.sleep(PAUSE)

    def away(self, error: Exception, about: str = "") -> StoreAway:
        """In words."""
        said = f"the database {self.address.shown} does not answer: {words(error)}"
        return StoreAway(f"{said}; {about or 'the worker goes on by itself when it is there again'}")


class Statements:
    """A connection of psycopg that understands the statements of the store."""

    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        self.raw = raw

    def execute(self, sql: str, given: Sequence[Any] = (), /) -> Cursor:
        return self.raw.execute(statement(sql), values(given))  # pyright: ignore[reportArgumentType, reportCallIssue]


def words(error: Exception) -> str:
    """The first line of what the server or libpq says. They name hosts and users, never passwords."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]
