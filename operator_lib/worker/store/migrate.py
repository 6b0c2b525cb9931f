"""Moving what an SQLite store holds to PostgreSQL: everything or nothing, counted, the source left as it was."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from operator_lib.worker.store import postgres_schema, sqlite_file
from operator_lib.worker.store.base import StoreError
from operator_lib.worker.store.lock import HomeLock
from operator_lib.worker.store.postgres_link import Address, Link, words
from operator_lib.worker.store.postgres_sql import values
from operator_lib.worker.store.schema import TABLES

if TYPE_CHECKING:
    import psycopg


def migrate(source: Path, target: str) -> dict[str, int]:
    """Copy every row; how many of each table.

    Args:
        source: the file of an SQLite store, in the home of a worker that does not run.
        target: URL of a PostgreSQL database without rows of ours.

    Raises:
        AlreadyRunning: a worker runs in the folder of the source.
        StoreError: the source cannot be read, the target cannot be used or is not empty; nothing was changed.
    """
    import psycopg

    if not source.is_file():
        raise StoreError(f"there is no SQLite store {source}")
    link = Link(Address.of(target))
    with HomeLock(source.parent), _copy(source) as rows:
        postgres_schema.prepare(link)
        try:
            raw = link.open()
            raw.execute("SET statement_timeout = 0")
            with raw.transaction():
                return {table: _move(rows, raw, table, link.address.shown) for table in _locked(raw)}
        except psycopg.Error as error:
            raise StoreError(f"nothing was moved: {link.address.shown}: {words(error)}") from error
        finally:
            link.drop()


@contextlib.contextmanager
def _copy(source: Path) -> Generator[sqlite3.Connection]:
    """A copy of the source with the newest schema: that of an older release stays as it is."""
    with tempfile.TemporaryDirectory(prefix="operator-lib-", dir=source.parent) as folder:
        path = Path(folder) / "copy.db"
        with (
            contextlib.closing(sqlite3.connect(f"file:{quote(str(source.absolute()))}?mode=ro", uri=True)) as old,
            contextlib.closing(sqlite3.connect(path)) as new,
        ):
            try:
                old.backup(new)
            except sqlite3.Error as error:
                raise StoreError(f"the store {source} cannot be read: {error}") from error
        with contextlib.closing(sqlite_file.writer(path)) as copied:
            yield copied


def _locked(raw: psycopg.Connection[Any]) -> tuple[str, ...]:
    """The tables, which nobody else may use until they are full."""
    raw.execute(f"LOCK TABLE {', '.join(TABLES)} IN ACCESS EXCLUSIVE MODE".encode())
    return TABLES


def _move(rows: sqlite3.Connection, raw: psycopg.Connection[Any], table: str, shown: str) -> int:
    if _count(raw, table):
        raise StoreError(f"{shown} is not empty: it has {table}; give an empty database. Nothing was moved")
    found = rows.execute(f"SELECT * FROM {table}")
    columns = ", ".join(column[0] for column in found.description)
    with raw.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN".encode()) as copy:
        for row in found:
            copy.write_row(values(row))
    (expected,) = rows.execute(f"SELECT count(*) FROM {table}").fetchone()
    moved = _count(raw, table)
    if moved != expected:
        raise StoreError(f"{moved} of {expected} {table} arrived in {shown}; nothing was moved")
    if "seq" in columns.split(", "):  # those that come are numbered after those that are there
        last = f"SELECT setval(pg_get_serial_sequence('{table}', 'seq'), max(seq)) FROM {table} HAVING count(*) > 0"
        raw.execute(last.encode())
    return moved


def _count(raw: psycopg.Connection[Any], table: str) -> int:
    found = raw.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    return int(found[0]) if found else 0
