"""The store that a worker is told to have."""

from __future__ import annotations

from pathlib import Path

from operator_lib.worker.store.base import StoreError
from operator_lib.worker.store.lock import HomeLock
from operator_lib.worker.store.postgres import PostgresStore
from operator_lib.worker.store.sql import SqlStore
from operator_lib.worker.store.sqlite import SqliteStore
from operator_lib.worker.store.url import POSTGRES, sqlite_path


def open_store(url: str, home: Path) -> SqlStore:
    """The store of an URL; without one the file in a worker's home, whose lock is held.

    Raises:
        StoreError: it cannot be opened, with what to do.
        AlreadyRunning: another worker uses that file.
    """
    if url.startswith(POSTGRES):
        return PostgresStore(url)
    path = sqlite_path(url) if url else home / "state.db"
    if not path.parent.is_dir():
        raise StoreError(f"cannot open the store {path}: there is no folder {path.parent}")
    elsewhere = path.parent.resolve() != home.resolve()
    return SqliteStore(path, HomeLock(path.parent) if elsewhere else None)
