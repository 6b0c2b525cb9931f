"""The tables, as forward-only migrations: a store of an older release is brought up to date when opened."""

from __future__ import annotations

import sqlite3

APPLICATION_ID = 0x4F504C42  # "OPLB": tells our files from other databases

# One entry per schema version. What has been released is never edited; changes go into a new entry.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE deployments (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('job', 'serving')),
            live_version INTEGER NOT NULL DEFAULT 0,
            created REAL NOT NULL,
            updated REAL NOT NULL,
            deleted REAL
        )
        """,
        "CREATE UNIQUE INDEX deployments_live_name ON deployments (name, kind) WHERE deleted IS NULL",
        """
        CREATE TABLE versions (
            deployment_id TEXT NOT NULL REFERENCES deployments (id),
            number INTEGER NOT NULL,
            fingerprint TEXT NOT NULL,
            python TEXT NOT NULL,
            requirements TEXT NOT NULL,
            manifest BLOB NOT NULL,
            entry_sha256 TEXT NOT NULL,
            entry_size INTEGER NOT NULL,
            options_json TEXT NOT NULL,
            schema_json TEXT NOT NULL,
            dag_json TEXT NOT NULL,
            created REAL NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('building', 'ready', 'failed')),
            message TEXT NOT NULL DEFAULT '',
            env_key TEXT NOT NULL DEFAULT '',
            PRIMARY KEY (deployment_id, number),
            UNIQUE (deployment_id, fingerprint)
        )
        """,
        # seq is the order of submission. The input comes last, so that a list does not have to step over it.
        """
        CREATE TABLE runs (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            deployment_id TEXT NOT NULL,
            job TEXT NOT NULL,
            version INTEGER NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('run', 'map')),
            status TEXT NOT NULL
                CHECK (status IN ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'TIMEOUT', 'CANCELLED')),
            created REAL NOT NULL,
            started REAL,
            ended REAL,
            attempts INTEGER NOT NULL DEFAULT 0,
            crashes INTEGER NOT NULL DEFAULT 0,
            cause_kind TEXT NOT NULL DEFAULT '',
            cause TEXT NOT NULL DEFAULT '',
            idempotency_key TEXT NOT NULL DEFAULT '',
            input_sha256 TEXT NOT NULL DEFAULT '',
            input_ref TEXT NOT NULL,
            result_size INTEGER NOT NULL DEFAULT -1,
            at_most_once INTEGER NOT NULL DEFAULT 0,
            cancel_requested INTEGER NOT NULL DEFAULT 0,
            done INTEGER NOT NULL DEFAULT 0,
            lease TEXT NOT NULL DEFAULT '',
            input_inline BLOB,
            FOREIGN KEY (deployment_id, version) REFERENCES versions (deployment_id, number)
        )
        """,
        "CREATE UNIQUE INDEX runs_key ON runs (deployment_id, idempotency_key) WHERE idempotency_key <> ''",
        "CREATE INDEX runs_version ON runs (deployment_id, version)",
        "CREATE INDEX runs_job ON runs (job, seq)",
        "CREATE INDEX runs_status ON runs (status, seq)",
        "CREATE INDEX runs_job_status ON runs (job, status, seq)",
        """
        CREATE TABLE attempts (
            run_id TEXT NOT NULL REFERENCES runs (id),
            n INTEGER NOT NULL,
            lease TEXT NOT NULL,
            started REAL NOT NULL,
            ended REAL,
            cause_kind TEXT NOT NULL DEFAULT '',
            cause TEXT NOT NULL DEFAULT '',
            exit_code INTEGER,
            signal INTEGER,
            peak_rss INTEGER,
            PRIMARY KEY (run_id, n)
        ) WITHOUT ROWID
        """,
    ),
    (
        """
        CREATE TABLE secrets (
            name TEXT PRIMARY KEY,
            created REAL NOT NULL,
            updated REAL NOT NULL,
            sealed BLOB NOT NULL
        )
        """,
        """
        CREATE TABLE schedules (
            id TEXT PRIMARY KEY,
            deployment_id TEXT NOT NULL REFERENCES deployments (id),
            job TEXT NOT NULL,
            cron TEXT NOT NULL,
            timezone TEXT NOT NULL,
            grace REAL NOT NULL,
            created REAL NOT NULL,
            since REAL NOT NULL,
            paused INTEGER NOT NULL DEFAULT 0,
            last REAL,
            last_run TEXT NOT NULL DEFAULT '',
            note TEXT NOT NULL DEFAULT '',
            idempotency_key TEXT NOT NULL DEFAULT '',
            input BLOB NOT NULL
        )
        """,
        "CREATE UNIQUE INDEX schedules_key ON schedules (idempotency_key) WHERE idempotency_key <> ''",
        "CREATE INDEX schedules_deployment ON schedules (deployment_id)",
        # For the removal of old runs.
        "CREATE INDEX runs_ended ON runs (ended) WHERE ended IS NOT NULL",
    ),
    ("ALTER TABLE runs ADD COLUMN forgiven INTEGER NOT NULL DEFAULT 0",),
    (
        "ALTER TABLE runs ADD COLUMN traceparent TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE deployments ADD COLUMN replicas INTEGER",
    ),
)

NEWEST = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """From schema `version` to the newest, all or nothing."""
    if version == NEWEST:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {NEWEST}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
