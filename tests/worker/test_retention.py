"""Old runs go with their folders; what goes on, was resumed, or has just ended stays."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from stores import a_run, deployed, opened
from waiting import until

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "kept"))

import keeping as jobs  # noqa: E402

from operator_lib import Operator  # noqa: E402
from operator_lib.errors import NotFound  # noqa: E402
from operator_lib.worker import local  # noqa: E402
from operator_lib.worker.blobs import Blobs  # noqa: E402
from operator_lib.worker.collection import Collection  # noqa: E402
from operator_lib.worker.places import Places  # noqa: E402
from operator_lib.worker.retention import BATCH, Retention  # noqa: E402

DAY, HOUR = 86400.0, 3600.0
NOW = 1_800_000_000.0


class History:
    """Runs that ended at given times, each with a folder."""

    def __init__(self, store, job, home: Path) -> None:
        self.store, self.job = store, job
        self.places = Places(home)
        self.places.make()
        self.now, self.up = NOW, 1000.0
        self.runs = SimpleNamespace(needed=Counter())
        self.collection = Collection(store, Blobs(self.places.blobs), self.places, lambda: self.now)

    def retention(self, keep_runs: int = 0, keep_days: float = 0) -> Retention:
        return Retention(
            self.store, self.places, self.runs, self.collection, keep_runs, keep_days, lambda: self.now, lambda: self.up
        )  # fmt: skip

    async def add(self, *ages: float, status: str = "COMPLETED") -> list[str]:
        """Runs that ended so many seconds ago."""
        ids = []
        for age in ages:
            run = a_run(self.job, f"run{len(await self.store.runs(limit=10_000)):05}-{age:.0f}")
            await self.store.submit_run(run)
            await self.store.start_attempt(run.id, "lease")
            await self.store.finish_run(run.id, "lease", status)
            self.edit("UPDATE runs SET ended = ? WHERE id = ?", NOW - age, run.id)
            self.folder(run.id)
            ids.append(run.id)
        return ids

    def folder(self, run_id: str) -> None:
        inside = self.places.attempt(run_id, 1)
        inside.mkdir(parents=True)
        (inside / "value").write_bytes(b"value")

    def edit(self, statement: str, *values) -> None:
        with sqlite3.connect(self.store.path) as other:
            other.execute(statement, values)
        other.close()

    async def left(self) -> list[str]:
        """Runs that are there, each with its folder."""
        rows = sorted(run.id for run in await self.store.runs(limit=10_000))
        assert sorted(path.name for path in (self.places.home / "runs").iterdir()) == rows
        return rows

    def attempts(self) -> int:
        with sqlite3.connect(self.store.path) as other:
            found = other.execute("SELECT count(*) FROM attempts").fetchone()[0]
        other.close()
        return found


def history(path, test) -> None:
    async def work() -> None:
        with opened(path) as store:
            await test(History(store, await deployed(store), path.parent / "home"))

    asyncio.run(work())


def test_what_is_too_old_goes_whatever_came_of_it(path):
    async def test(it):
        await it.add(31 * DAY)
        await it.add(40 * DAY, status="FAILED")
        kept = await it.add(29 * DAY, 1.0)
        assert await it.retention(keep_days=30).sweep() == 2
        assert await it.left() == sorted(kept)
        assert it.attempts() == 2

    history(path, test)


def test_what_is_too_much_goes_the_oldest_first(path):
    async def test(it):
        await it.add(9 * HOUR, 8 * HOUR)
        kept = await it.add(7 * HOUR, 2 * HOUR, 3 * HOUR)
        assert await it.retention(keep_runs=3).sweep() == 2
        assert await it.left() == sorted(kept)

    history(path, test)


def test_what_has_just_ended_stays_however_many_there_are(path):
    async def test(it):
        kept = await it.add(10.0, 20.0, 30.0)
        await it.add(2 * HOUR)
        assert await it.retention(keep_runs=1).sweep() == 1
        assert await it.left() == sorted(kept)

    history(path, test)


def test_without_bounds_everything_stays(path):
    async def test(it):
        kept = await it.add(1000 * DAY, 2 * HOUR)
        assert await it.retention().sweep() == 0
        assert await it.left() == sorted(kept)

    history(path, test)


def test_more_than_one_batch(path):
    async def test(it):
        await it.add(*([31 * DAY] * (BATCH + 3)))
        kept = await it.add(DAY)
        assert await it.retention(keep_days=30).sweep() == BATCH + 3
        assert await it.left() == kept

    history(path, test)


def test_what_has_not_ended_stays(path):
    async def test(it):
        waiting, running = a_run(it.job, "waiting"), a_run(it.job, "running")
        for run in (waiting, running):
            await it.store.submit_run(run)
            it.folder(run.id)
        await it.store.start_attempt("running", "lease")
        it.edit("UPDATE runs SET created = 1, started = 1")
        assert await it.retention(keep_runs=1, keep_days=1).sweep() == 0
        assert await it.left() == ["running", "waiting"]

    history(path, test)


def test_one_that_was_resumed_has_not_ended(path):
    async def test(it):
        (resumed,) = await it.add(31 * DAY, status="FAILED")
        found = await it.store.expired_runs(NOW - 30 * DAY, None, NOW, 10)
        assert found == [resumed]
        assert await it.store.reopen(resumed)  # between the look and the removal
        assert await it.store.forget_runs(found) == []
        assert await it.retention(keep_days=30).sweep() == 0
        assert await it.left() == [resumed]

    history(path, test)


def test_one_that_is_being_replayed_stays_until_that_is_done(path):
    async def test(it):
        (old,) = await it.add(31 * DAY)
        it.runs.needed[old] += 1
        retention = it.retention(keep_days=30)
        assert await retention.sweep() == 0
        it.runs.needed[old] -= 1
        assert await retention.sweep() == 1
        assert await it.left() == []

    history(path, test)


class TestTheClockIsSet:
    def test_far_ahead_does_not_cost_the_history(self, path):
        async def test(it):
            kept = await it.add(DAY, 2 * DAY)
            retention = it.retention(keep_days=30)
            it.now += 3650 * DAY
            assert await retention.sweep() == 0
            it.now, it.up = it.now - 3650 * DAY + HOUR, it.up + HOUR
            assert await retention.sweep() == 0
            assert await it.left() == sorted(kept)

        history(path, test)

    def test_a_clock_that_stays_so_for_a_day_is_believed(self, path):
        async def test(it):
            await it.add(DAY)
            retention = it.retention(keep_days=30)
            it.now += 3650 * DAY
            assert await retention.sweep() == 0
            it.now, it.up = it.now + DAY, it.up + DAY
            assert await retention.sweep() == 1

        history(path, test)


def test_folders_that_belong_to_no_run_go(path):
    async def test(it):
        kept = await it.add(HOUR)
        it.folder("stray")
        await it.retention().clear_strays([*kept, "stray"])
        assert await it.left() == kept

    history(path, test)


def test_looking_at_a_long_history_is_quick_for_every_listing(path):
    """By the plan of the database, which does not depend on the machine: no list reads all runs."""

    async def test(it):
        plans = [
            ("SELECT id FROM runs WHERE ended < ? ORDER BY ended LIMIT ?", (NOW, 10)),
            ("SELECT ended FROM runs WHERE ended IS NOT NULL ORDER BY ended DESC LIMIT 1 OFFSET ?", (10,)),
        ]
        with sqlite3.connect(it.store.path) as other:
            for query, values in plans:
                steps = [row[3] for row in other.execute(f"EXPLAIN QUERY PLAN {query}", values)]
                assert len(steps) == 1
                assert "runs_ended" in steps[0]
                assert "TEMP B-TREE" not in steps[0]
        other.close()

    history(path, test)


class TestOnAWorker:
    def test_a_new_worker_removes_what_is_old(self, tmp_path):
        home = tmp_path / "home"
        with local(home):
            job = jobs.noted.deploy("noted")
            old, new = [job.submit(str(tmp_path / "x")) for _ in range(2)]
            old.result(30), new.result(30)
        (home / "runs" / ("0" * 26)).mkdir()
        with sqlite3.connect(home / "state.db") as store:
            store.execute("UPDATE runs SET ended = ? WHERE id = ?", (time.time() - 3 * DAY, old.id))
        store.close()
        with local(home, keep_days="2"):
            job = Operator.from_job("noted")
            until(lambda: [path.name for path in (home / "runs").iterdir()] == [new.id])
            assert [run.id for run in job.runs()] == [new.id]
            assert job.run(new.id).result(30) == "ran"
            with pytest.raises(NotFound):
                job.run(old.id)

    @pytest.mark.parametrize(("name", "value"), [("keep_days", "-1"), ("keep_runs", "-1"), ("keep_days", "nan")])
    def test_bounds_that_mean_nothing(self, tmp_path, name, value):
        with pytest.raises(ConnectionError, match=name.replace("_", "-")), local(tmp_path / "home", **{name: value}):
            pass
