"""The slowest of the listings of runs, with 10,000 runs in history."""

from __future__ import annotations

import contextlib
import sqlite3
import statistics
import urllib.request
from collections.abc import Callable, Generator
from pathlib import Path

from benchmarks import project, workers
from benchmarks.case import Case, Round, Sample, seconds

SOURCE = """
from operator_lib import operator

@operator
def nothing():
    return None
"""


# What no two runs share.
OWN = ("seq", "id", "idempotency_key")


def fill(home: Path, count: int) -> None:
    """Copies of the one run that there is."""
    with contextlib.closing(sqlite3.connect(home / "state.db", timeout=30)) as store, store:
        columns = [row[1] for row in store.execute("PRAGMA table_info(runs)") if row[1] not in OWN]
        names = ", ".join(columns)
        store.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            f"INSERT INTO runs (id, {names}) SELECT printf('00copy%020d', i), {names} FROM n, runs",
            (count,),
        )


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    from operator_lib.client import connect, inventory

    with workers.local() as local, project.module(SOURCE) as user:
        job = user.nothing.deploy("nothing")
        job()
        fill(local.home, 200 if quick else 10_000)
        connection = connect.connect()

        def page() -> bytes:
            asked = urllib.request.Request(
                f"{local.url}/v1/runs?limit=100", headers={"Authorization": f"Bearer {local.token}"}
            )
            with urllib.request.urlopen(asked) as answer:
                return answer.read()

        listings: tuple[Callable[[], object], ...] = (
            lambda: job.runs(100),
            lambda: inventory.runs(connection, limit=100),
            lambda: inventory.runs(connection, "nothing", status="COMPLETED", limit=100),
            lambda: inventory.runs(connection, status="FAILED", limit=100),
            page,
        )
        assert len(job.runs(100)) == 100

        def one() -> Sample:
            return Sample(max(statistics.median(1e3 * seconds(listing) for _ in range(9)) for listing in listings))

        yield one


CASE = Case(
    name="list_runs",
    what="listing 100 of 10,000 runs, the slowest way",
    unit="ms",
    beside="limit",
    goal_text="at most 50 ms",
    limit=50.0,
    rounds=rounds,
)
