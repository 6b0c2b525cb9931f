"""Making a database ours, and bringing it up to date: the migrations of `schema.py`, all or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operator_lib.worker.store.base import StoreAway, StoreError
from operator_lib.worker.store.postgres_link import SCHEMA, Link, words
from operator_lib.worker.store.postgres_sql import definition
from operator_lib.worker.store.schema import NEWEST, statements

if TYPE_CHECKING:
    import psycopg

# PostgreSQL 13 is the first that says what became of a transaction by its 64-bit number.
OLDEST = 130000
# Two workers that start at the same moment do not both make the tables. Any number, the same in all releases.
LOCK = 0x4F504C42


def prepare(link: Link) -> None:
    """Connect for the first time; make or migrate the tables.

    Raises:
        StoreError: says what is wrong, and what to do.
    """
    import psycopg

    shown = link.address.shown
    try:
        raw = link.open()
    except psycopg.OperationalError as error:
        raise StoreAway(f"cannot open the store {shown}: {_cause(error)}") from error
    user = raw.info.user
    try:
        if raw.info.server_version < OLDEST:
            raise StoreError(f"the store {shown} is PostgreSQL {raw.info.server_version // 10000}; 13 is the oldest")
        with raw.transaction():
            raw.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            _migrate(raw, shown)
    except psycopg.Error as error:
        link.drop()
        hint = f'; let its owner run: CREATE SCHEMA {SCHEMA} AUTHORIZATION "{user}"'
        denied = isinstance(error, psycopg.errors.InsufficientPrivilege)
        raise StoreError(f"the store {shown} cannot be used: {words(error)}{hint if denied else ''}") from error
    except BaseException:
        link.drop()
        raise


def _migrate(raw: psycopg.Connection[Any], shown: str) -> None:
    there = _one(raw, "SELECT count(*) FROM pg_namespace WHERE nspname = %s", SCHEMA)
    if not there:
        raw.execute(f"CREATE SCHEMA {SCHEMA}")
    tables = _one(raw, "SELECT count(*) FROM pg_tables WHERE schemaname = %s", SCHEMA)
    ours = _one(raw, "SELECT count(*) FROM pg_tables WHERE schemaname = %s AND tablename = 'schema_version'", SCHEMA)
    if tables and not ours:
        raise StoreError(
            f"the store {shown} cannot be used: its schema {SCHEMA!r} has tables of another program. It was left as "
            "it is; give another database"
        )
    if not ours:
        raw.execute("CREATE TABLE schema_version (version BIGINT NOT NULL)")
        raw.execute("INSERT INTO schema_version VALUES (0)")
    version = _one(raw, "SELECT version FROM schema_version")
    if version > NEWEST:
        raise StoreError(
            f"the store {shown} has schema {version}, and this operator_lib knows schemas up to {NEWEST}: a newer "
            "release has written it; install that one again, or give another database"
        )
    if version < NEWEST:
        for statement in statements(version):
            raw.execute(definition(statement).encode())
        raw.execute("UPDATE schema_version SET version = %s", [NEWEST])


def _one(raw: psycopg.Connection[Any], query: str, *given: Any) -> int:
    found = raw.execute(query.encode(), given).fetchone()
    return int(found[0]) if found else 0


def _cause(error: Exception) -> str:
    """Why a connection was not made, and what to do."""
    text = words(error)
    if "does not exist" in text and "database" in text:
        return f"{text}; make it first: createdb"
    if "password" in text:
        return f"{text}; give the password in ~/.pgpass, PGPASSWORD or the URL"
    return f"{text}; check that the server runs, and the address"
