"""Opening the database file: one connection that writes, others that only read."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from operator_lib.worker.store.base import StoreError
from operator_lib.worker.store.schema import NEWEST, statements

APPLICATION_ID = 0x4F504C42  # "OPLB": tells our files from other databases
MAGIC = b"SQLite format 3\0"
# Up to this size the whole file is checked at every start (some tens of milliseconds).
CHECKED_SIZE = 16 * 2**20
# FULL: a commit survives a power cut. No mapping of the file: an error of the disk would be a SIGBUS there.
SETTINGS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA busy_timeout = 5000",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA mmap_size = 0",
    "PRAGMA wal_autocheckpoint = 1000",
    f"PRAGMA journal_size_limit = {64 * 2**20}",
)


def writer(path: Path) -> sqlite3.Connection:
    """The one connection that may write. Makes the file (0600) if need be, and migrates an old one.

    Raises:
        StoreError: names the file and what is wrong with it. A file that is not ours is left as it is.
    """
    try:
        _check_header(path)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"cannot open the store {path}: {error}; check that the folder is yours to write") from error
    try:
        _prepare(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise StoreError(_unusable(path, str(error))) from error
    except BaseException:
        connection.close()
        raise
    return connection


def reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot change anything. Open it after the writer."""
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    try:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        for statement in (
            "query_only = ON",
            "wal_autocheckpoint = 0",
            "mmap_size = 0",
            "busy_timeout = 5000",
        ):
            connection.execute(f"PRAGMA {statement}")
    except sqlite3.Error as error:
        raise StoreError(f"cannot read the store {path}: {error}") from error
    return connection


def _check_header(path: Path) -> None:
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except IsADirectoryError:
        raise StoreError(f"cannot open the store {path}: it is a folder") from None
    try:
        head = os.read(file, len(MAGIC))
    finally:
        os.close(file)
    wal = path.with_name(path.name + "-wal")
    if head != MAGIC and (head or (wal.exists() and wal.stat().st_size)):
        raise StoreError(_unusable(path, "it is not an SQLite database"))


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    # Questions first: nothing is written into a file before it is known to be ours.
    application = _pragma(connection, "application_id")
    version = _pragma(connection, "user_version")
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application != APPLICATION_ID and (tables or version or application):
        raise StoreError(_unusable(path, "it is the database of another program"))
    if version > NEWEST:
        raise StoreError(
            f"the store {path} has schema {version}, and this operator_lib knows schemas up to {NEWEST}: "
            "a newer release has written it; install that one again, or start a worker with another home"
        )
    if tables and path.stat().st_size <= CHECKED_SIZE:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise StoreError(_unusable(path, found))
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise StoreError(
            f"the store {path} cannot use write-ahead logging (mode {mode!r}), as on a network file system; "
            "give the worker a home on a local disk"
        )
    for setting in SETTINGS:
        connection.execute(setting)
    _migrate(connection, version)


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    """From schema `version` to the newest, all or nothing."""
    if version == NEWEST:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in statements(version):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {NEWEST}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _unusable(path: Path, reason: str) -> str:
    return (
        f"the store {path} cannot be used: {reason.strip()}. It was left as it is; restore a backup, or move "
        "it away (with its -wal file) to start with an empty one"
    )
