"""The tables, as forward-only migrations: a store of an older release is brought up to date when opened.

Written for SQLite; PostgreSQL reads other words for the same (`postgres_sql.py`).
"""

from __future__ import annotations

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
    ("CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)",),
    # Where several workers share the database: whose a run is, and who holds the replicas of a serving.
    (
        """
        CREATE TABLE workers (
            id TEXT PRIMARY KEY,
            started REAL NOT NULL,
            beat REAL NOT NULL,
            lease REAL NOT NULL,
            url TEXT NOT NULL,
            grpc_address TEXT NOT NULL
        )
        """,
        "ALTER TABLE runs ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE deployments ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX runs_owner ON runs (owner, seq) WHERE status IN ('PENDING', 'RUNNING')",
    ),
)

NEWEST = len(MIGRATIONS)
# Those with what is to be kept, in an order in which each only names those before it.
TABLES = ("deployments", "versions", "runs", "attempts", "secrets", "schedules", "facts")


def statements(version: int) -> list[str]:
    """What leads from schema `version` to the newest."""
    return [statement for step in MIGRATIONS[version:] for statement in step]
