"""The rows of a home move to PostgreSQL: all of them or none, and the home stays as it was."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import replace

import pytest
from stores import ROOT, a_run, deployed, opened

from operator_lib.worker.store import AlreadyRunning, HomeLock, StoreError
from operator_lib.worker.store.base import ScheduleRow
from operator_lib.worker.store.migrate import migrate

COUNTS = {"deployments": 2, "versions": 2, "runs": 30, "attempts": 10, "secrets": 1, "schedules": 1, "facts": 1}


@pytest.fixture
def home(tmp_path):
    """With something in every table."""

    async def fill(store):
        job = await deployed(store)
        await deployed(store, "gone", "serving")
        await store.delete_deployment("gone")
        for n in range(30):
            await store.submit_run(a_run(job, f"r{n}", input_inline=bytes([n, 0, 255]), at_most_once=n % 2 == 1))
            if n % 3 == 0:
                await store.start_attempt(f"r{n}", f"lease{n}")
            if n % 6 == 0:
                await store.finish_run(f"r{n}", f"lease{n}", "FAILED", "user_exception", "tab\tnul\0 \u00e9", 7)
        await store.put_secret("KEY", b"\x00sealed\xff")
        row = ScheduleRow("s1", job.id, job.name, "0 6 * * *", "UTC", 60.0, created=1.5, since=2.5)
        await store.put_schedule(row, b"input", "key")
        await store.identify()

    with opened(tmp_path / "state.db") as store:
        asyncio.run(fill(store))
    return tmp_path


async def contents(store):
    rows = [await store.run(f"r{n}") for n in range(30)]
    return {
        "runs": [replace(row, cause=row.cause.replace("\0", "\ufffd")) for row in rows],
        "order": [row.id for row in await store.runs(limit=100)],
        "attempts": [replace(a, cause="") for n in range(30) for a in await store.attempts(f"r{n}")],
        "deployments": [await store.deployment(id=rows[0].deployment_id), await store.deployments()],
        "versions": await store.versions(rows[0].deployment_id),
        "secrets": [await store.secrets(), await store.sealed_secret("KEY")],
        "identity": await store.identify(),
        "schedules": [await store.schedules(), await store.schedule_input("s1")],
    }


def test_everything_arrives_and_the_source_stays(home, database):
    before = (home / "state.db").read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "operator_lib", "store", "migrate", "--home", str(home), "--to", database, "--json"],
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"rows": COUNTS}
    assert (home / "state.db").read_bytes() == before
    assert all(path.is_file() for path in home.iterdir()), "the copy that it made is gone"

    async def goes_on(store, found):
        assert await contents(store) == found
        job = await store.deployment(name="job")
        await store.submit_run(a_run(job, "next"))
        assert (await store.runs(limit=1))[0].id == "next", "it is numbered after those that came"
        assert {row.id for row in await store.recover()} >= {"next", "r3", "r1"}

    with opened(home / "state.db") as store:
        found = asyncio.run(contents(store))
    with opened(database) as store:
        asyncio.run(goes_on(store, found))
    with pytest.raises(StoreError, match="is not empty: it has deployments"):
        migrate(home / "state.db", database)


def test_what_goes_wrong_leaves_the_target_empty(home, database):
    import psycopg

    with opened(database):
        pass
    with HomeLock(home), pytest.raises(AlreadyRunning, match="already running"):
        migrate(home / "state.db", database)
    with psycopg.connect(database, autocommit=True) as connection:  # the last but one table cannot be filled
        connection.execute("ALTER TABLE operator_lib.secrets ADD CHECK (name = 'other')")
    with pytest.raises(StoreError, match="nothing was moved"):
        migrate(home / "state.db", database)
    with psycopg.connect(database) as connection:
        for table in COUNTS:
            assert connection.execute(f"SELECT count(*) FROM operator_lib.{table}").fetchone() == (0,), table
    with pytest.raises(StoreError, match="there is no SQLite store"):
        migrate(home / "other.db", database)
