"""What a store is told once: so far which one it is, for those that keep something beside it."""

from __future__ import annotations

import uuid

from operator_lib.worker.store.connection import Connection


def identify(connection: Connection) -> str:
    """A name that no other store has; the same ever after."""
    connection.execute(
        "INSERT INTO facts (name, value) VALUES ('identity', ?) ON CONFLICT (name) DO NOTHING", (uuid.uuid4().hex,)
    )
    return str(connection.execute("SELECT value FROM facts WHERE name = 'identity'", ()).fetchone()[0])
