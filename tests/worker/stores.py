"""What the tests of the store share."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from operator_lib.worker.store import RunRow, SqliteStore, Store
from operator_lib.worker.store.opening import open_store

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def opened(where):
    """The store in an SQLite file, or behind the URL of a PostgreSQL database."""
    store = open_store(where, ROOT) if isinstance(where, str) else SqliteStore(where)
    try:
        yield store
    finally:
        store.close()


async def deployed(store: Store, name="job", kind="job"):
    deployment, version, _ = await store.put_version(name, kind, fingerprint="f1")
    await store.set_version_status(deployment.id, version.number, "ready")
    return await store.make_live(deployment.id, version.number)


def a_run(deployment, id, **fields):
    return RunRow(id=id, deployment_id=deployment.id, job=deployment.name, version=1, **fields)


def integrity(path):
    connection = sqlite3.connect(path)
    try:
        return connection.execute("PRAGMA integrity_check").fetchone()[0]
    finally:
        connection.close()
