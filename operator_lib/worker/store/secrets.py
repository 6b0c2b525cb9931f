"""Writes about secrets: names and sealed values. Each function runs inside one transaction."""

from __future__ import annotations

import time
from dataclasses import fields

from operator_lib.worker.store.base import SecretRow
from operator_lib.worker.store.connection import Connection

SECRET = ", ".join(field.name for field in fields(SecretRow))


def put(connection: Connection, name: str, sealed: bytes) -> None:
    now = time.time()
    connection.execute(
        "INSERT INTO secrets (name, created, updated, sealed) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET updated = excluded.updated, sealed = excluded.sealed",
        (name, now, now, sealed),
    )


def remove(connection: Connection, name: str) -> bool:
    return bool(connection.execute("DELETE FROM secrets WHERE name = ?", (name,)).rowcount)
