"""Several workers on one database: who is there, and who has not been heard of for too long. By the database's clock.

Each function runs inside one transaction. For PostgreSQL alone: an SQLite file has one worker.
"""

from __future__ import annotations

from operator_lib.worker.store import runs
from operator_lib.worker.store.base import RunRow, StoreError, WorkerRow
from operator_lib.worker.store.connection import FREE, Connection

NOW = "extract(epoch FROM clock_timestamp())"
WORKER = f"id, lease, url, grpc_address, {NOW} - beat"
# Seconds more than its lease that a worker may be silent: its processes need a moment to be gone.
MARGIN = 2.0
# Where workers tell one another which runs have changed, and what they say there when one comes up.
CHANNEL, JOINED = "operator_lib_runs", "+"


def join(connection: Connection, worker: WorkerRow) -> None:
    names = "id, started, beat, lease, url, grpc_address"
    statement = f"INSERT INTO workers ({names}) VALUES (?, {NOW}, {NOW}, ?, ?, ?)"
    connection.execute(statement, (worker.id, worker.lease, worker.url, worker.grpc_address))
    connection.execute("SELECT pg_notify(?, ?)", (CHANNEL, JOINED))


def leave(connection: Connection, worker: str) -> None:
    """What is left of its is nobody's, for whoever comes first."""
    connection.execute("DELETE FROM workers WHERE id = ?", (worker,))
    connection.execute("UPDATE deployments SET owner = '' WHERE owner = ?", (worker,))
    connection.execute("UPDATE runs SET owner = '' WHERE owner = ? AND status = 'PENDING'", (worker,))


def clear(connection: Connection, worker: str) -> None:
    """Nobody but this one is there any more."""
    connection.execute("DELETE FROM workers WHERE id <> ?", (worker,))
    connection.execute("UPDATE deployments SET owner = '' WHERE owner <> ''")


def beat(connection: Connection, worker: str, among: float, alone: float) -> tuple[float, list[WorkerRow]] | None:
    """It is there, for so many seconds `among` others, or `alone`; which of the two, and the others.

    None: it has been silent for too long, and what it had is another's.
    """
    found = connection.execute(f"SELECT {WORKER} FROM workers WHERE id <> ? ORDER BY id", (worker,))
    others = [WorkerRow(*row) for row in found]
    lease = alone if all(map(lost, others)) else among
    statement = f"UPDATE workers SET beat = {NOW}, lease = ? WHERE id = ?"
    return (lease, others) if connection.execute(statement, (lease, worker)).rowcount else None


def lost(worker: WorkerRow) -> bool:
    """Whether it has been silent for so long that its processes have ended."""
    return worker.silent > worker.lease + MARGIN


def take_over(connection: Connection, worker: str) -> list[RunRow]:
    """Runs and servings of workers that are lost are this one's from now on; the runs, all of which wait."""
    found: list[RunRow] = []
    late = f"SELECT id FROM workers WHERE id <> ? AND beat + lease + ? < {NOW} ORDER BY id {FREE}"
    for (gone,) in connection.execute(late, (worker, MARGIN)).fetchall():
        connection.execute("DELETE FROM workers WHERE id = ?", (gone,))
        connection.execute("UPDATE deployments SET owner = ? WHERE owner = ?", (worker, gone))
        found += runs.recover(connection, worker, gone)
    return found


def one(connection: Connection, worker: str) -> WorkerRow | None:
    found = connection.execute(f"SELECT {WORKER} FROM workers WHERE id = ?", (worker,)).fetchone()
    return WorkerRow(*found) if found else None


def belongs(connection: Connection, home: str, moves: bool) -> None:
    """A database is that of one home: files of runs lie there, and the key of the secrets.

    Args:
        moves: what lies in a home is in object storage, too: another one takes its place when nobody works there.

    Raises:
        StoreError: it is another's.
    """
    connection.execute("INSERT INTO facts (name, value) VALUES ('home', ?) ON CONFLICT DO NOTHING", (home,))
    (known,) = connection.execute("SELECT value FROM facts WHERE name = 'home'").fetchone()
    if known == home or (moves and _moved(connection, known, home)):
        return
    if moves:
        raise StoreError(
            "workers with another home use the database: start this one with the same --home, or when they have ended; "
            "that one has crashed is known a minute later"
        )
    raise StoreError(
        "the database belongs to workers with another home: all workers of a database share one folder, where "
        "what runs say and return lies; start this one with that --home, or with another --store"
    )


def _moved(connection: Connection, known: str, home: str) -> bool:
    """Whether the database is that of `home` from now on: the `known` one has no worker left, and nobody was faster."""
    there = connection.execute(f"SELECT count(*) FROM workers WHERE beat + lease + ? >= {NOW}", (MARGIN,)).fetchone()
    if there and there[0]:
        return False
    statement = "UPDATE facts SET value = ? WHERE name = 'home' AND value = ?"
    return bool(connection.execute(statement, (home, known)).rowcount)
