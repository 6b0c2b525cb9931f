"""Every time that is due starts one run: not none, not two, whatever dies and however the clock is set."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from stores import deployed, opened
from waiting import until

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "kept"))

import keeping as jobs  # noqa: E402

from operator_lib import Operator, endpoint  # noqa: E402
from operator_lib.errors import NotFound, OptionError, QueueFull  # noqa: E402
from operator_lib.worker import local, stop  # noqa: E402
from operator_lib.worker.schedules import AHEAD, GRACE, Schedules  # noqa: E402

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC).timestamp()
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


class Queue:
    """Takes runs as the worker does, and starts none."""

    def __init__(self, store) -> None:
        self.store = store
        self.refuse: Exception | None = None

    async def submit(self, row):
        if self.refuse is not None:
            raise self.refuse
        return (await self.store.submit_run(row))[0]


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class Scheduler:
    """A scheduler on a store of its own, and a clock that only moves when it is told to."""

    def __init__(self, store, job) -> None:
        self.store, self.job, self.clock = store, job, Clock()
        self.queue = Queue(store)
        self.again()

    def again(self) -> None:
        """After a restart."""
        self.schedules = Schedules(self.store, self.queue, self.clock)

    async def add(self, cron="0 * * * *", zone="UTC", **more):
        return await self.schedules.create(self.job, cron, zone, b"input", **more)

    async def wait(self, seconds: float) -> None:
        self.clock.now += seconds
        await self.tick()

    async def tick(self) -> None:
        while await self.schedules.tick() == 0:
            pass

    async def due(self) -> list[float]:
        """When the runs there are were due, in minutes since the beginning."""
        keys = [(await self.store.run(run.id)).idempotency_key for run in reversed(await self.store.runs())]
        return [(float(key.rpartition(":")[2]) - START) / MINUTE for key in keys]


def scheduled(path, test) -> None:
    async def work() -> None:
        with opened(path) as store:
            await test(Scheduler(store, await deployed(store)))

    asyncio.run(work())


def test_a_run_at_every_time_that_is_due(path):
    async def test(it):
        row = await it.add("*/20 * * * *")
        for _ in range(61):
            await it.wait(MINUTE)
        assert await it.due() == [20, 40, 60]
        run = (await it.store.runs())[0]
        row = await it.schedules.find(row.id)
        assert (row.last, row.last_run) == (START + HOUR, run.id)
        assert (await it.store.run(run.id)).input_inline == b"input"
        assert it.schedules.next(row) == START + 80 * MINUTE

    scheduled(path, test)


def test_nothing_is_due_at_the_time_it_is_made(path):
    async def test(it):
        await it.add("* * * * *")
        await it.tick()
        assert await it.due() == []

    scheduled(path, test)


class TestTheWorkerWasAway:
    def test_several_that_were_missed_are_one_run(self, path):
        async def test(it):
            await it.add("*/5 * * * *")
            it.again()
            await it.wait(52 * MINUTE)
            assert await it.due() == [50]
            await it.wait(3 * MINUTE)
            assert await it.due() == [50, 55]

        scheduled(path, test)

    def test_only_within_the_grace(self, path):
        async def test(it):
            row = await it.add("0 3 * * *")
            it.again()
            await it.wait(15 * HOUR + GRACE + 1)
            assert await it.due() == []
            assert "nothing was started for 2026-05-05 03:00 UTC" in (await it.schedules.find(row.id)).note
            await it.wait(DAY)
            assert await it.due() == []
            await it.wait(DAY - GRACE)
            assert await it.due() == [63 * 60]
            assert (await it.schedules.find(row.id)).note == ""

        scheduled(path, test)

    def test_a_grace_of_its_own(self, path):
        async def test(it):
            await it.add("0 3 * * *", grace=DAY)
            await it.add("0 3 * * *", grace=60)
            await it.wait(16 * HOUR)
            assert await it.due() == [15 * 60]

        scheduled(path, test)

    def test_a_death_after_the_submission_does_not_start_a_second_run(self, path):
        """The run is there, and the schedule does not know."""

        async def test(it):
            row = await it.add()
            await it.wait(HOUR)
            with sqlite3.connect(it.store.path) as other:
                other.execute("UPDATE schedules SET since = ?", (row.since,))
            it.again()
            await it.wait(MINUTE)
            assert await it.due() == [60]
            assert (await it.schedules.find(row.id)).since == START + HOUR

        scheduled(path, test)

    def test_two_that_look_at_once_start_one_run(self, path):
        async def test(it):
            await it.add()
            other = Schedules(it.store, it.queue, it.clock)
            it.clock.now += HOUR
            await asyncio.gather(it.schedules.tick(), other.tick(), it.schedules.tick())
            assert await it.due() == [60]

        scheduled(path, test)


class TestTheClockJumps:
    def test_back_repeats_nothing(self, path):
        async def test(it):
            await it.add()
            await it.wait(2 * HOUR)
            await it.wait(-2 * HOUR)
            await it.wait(HOUR)
            assert await it.due() == [120]
            await it.wait(2 * HOUR)
            assert await it.due() == [120, 180]

        scheduled(path, test)

    def test_far_ahead_and_back_does_not_silence_it(self, path):
        async def test(it):
            await it.add()
            await it.wait(10 * AHEAD)
            await it.wait(-10 * AHEAD + MINUTE)
            await it.wait(59 * MINUTE)
            assert await it.due() == [10 * 24 * 60, 60]

        scheduled(path, test)


class TestTheQueue:
    def test_a_full_one_is_tried_again_for_as_long_as_the_grace(self, path):
        async def test(it):
            row = await it.add()
            it.queue.refuse = QueueFull("5 runs are waiting already")
            it.clock.now += HOUR
            assert await it.schedules.tick() > 0
            assert "waits: 5 runs are waiting" in (await it.schedules.find(row.id)).note
            it.queue.refuse = None
            await it.wait(MINUTE)
            assert await it.due() == [60]
            assert (await it.schedules.find(row.id)).note == ""

        scheduled(path, test)

    def test_one_that_cannot_be_dealt_with_holds_up_no_other(self, path):
        async def test(it):
            first = await it.add()
            await it.add("30 * * * *")
            with sqlite3.connect(it.store.path) as other:
                other.execute("UPDATE schedules SET cron = 'gone wrong' WHERE id = ?", (first.id,))
            await it.schedules.tick()
            it.clock.now += 30 * MINUTE
            await it.schedules.tick()
            assert await it.due() == [30]

        scheduled(path, test)


class TestChanging:
    def test_what_was_due_during_a_pause_is_not_made_up_for(self, path):
        async def test(it):
            row = await it.add()
            await it.schedules.pause(row)
            await it.wait(2.5 * HOUR)
            assert await it.due() == []
            assert it.schedules.next(await it.schedules.find(row.id)) is None
            await it.schedules.resume(row)
            await it.wait(MINUTE)
            assert await it.due() == []
            await it.wait(30 * MINUTE)
            assert await it.due() == [180]

        scheduled(path, test)

    def test_resuming_what_was_not_paused_forgets_nothing(self, path):
        async def test(it):
            row = await it.add()
            it.clock.now += HOUR
            await it.schedules.resume(row)
            await it.tick()
            assert await it.due() == [60]

        scheduled(path, test)

    def test_the_same_key_gives_the_same_schedule(self, path):
        async def test(it):
            assert (await it.add(key="k")).id == (await it.add(key="k")).id
            assert len(await it.schedules.listed()) == 1

        scheduled(path, test)

    def test_it_goes_with_its_job(self, path):
        async def test(it):
            await it.add()
            await it.store.delete_deployment("job")
            assert await it.schedules.listed() == []
            await it.wait(HOUR)
            assert await it.due() == []
            with pytest.raises(NotFound):
                await it.add()

        scheduled(path, test)

    def test_removed(self, path):
        async def test(it):
            row = await it.add()
            await it.schedules.remove(row)
            await it.wait(HOUR)
            assert await it.due() == []
            with pytest.raises(NotFound):
                await it.schedules.find(row.id)

        scheduled(path, test)

    @pytest.mark.parametrize("grace", [-1, 0, 8 * DAY, float("nan")])
    def test_a_grace_out_of_range(self, path, grace):
        async def test(it):
            with pytest.raises(ValueError, match="grace"):
                await it.add(grace=grace)

        scheduled(path, test)


def test_it_looks_by_itself_when_the_time_has_come(path):
    async def test(it):
        begun = time.monotonic()
        schedules = Schedules(it.store, it.queue, lambda: START + 59.5 + time.monotonic() - begun)
        schedules.start()
        await schedules.create(it.job, "* * * * *", "UTC", b"")
        while not await it.store.runs():
            await asyncio.sleep(0.01)
        await schedules.stop()
        assert await it.due() == [1]

    scheduled(path, test)


class TestOnAWorker:
    def test_runs_start_and_are_never_doubled(self, tmp_path):
        """Due ten minutes ago, while the worker was down; then the worker dies, and its memory of it with it."""
        home, written = tmp_path / "home", tmp_path / "written"
        past = datetime.fromtimestamp(time.time() - 600, UTC)
        with local(home):
            job = jobs.noted.deploy("noted")
            made = job.job.schedule(
                f"{past.minute} {past.hour} * * *", inputs={"path": str(written), "text": "by itself"}
            )
            assert job.runs() == []
            stop(home)
        self.forget(home)
        with local(home):
            job = Operator.from_job("noted")
            (run,) = until(job.runs)
            assert run.result(timeout=30) == "by itself"
            (found,) = job.job.schedules()
            assert (found.id, found.last_run) == (made.id, run.id)
            self.kill(home)
            self.forget(home)
        with local(home):
            job = Operator.from_job("noted")
            until(lambda: job.job.schedules()[0].last)
            assert [again.id for again in job.runs()] == [run.id]
        assert written.read_text() == "by itself\n"

    def forget(self, home: Path) -> None:
        with sqlite3.connect(home / "state.db") as store:
            store.execute("UPDATE schedules SET since = ?, last = NULL", (time.time() - 1200,))
        store.close()

    def kill(self, home: Path) -> None:
        pid = endpoint.running(home).pid
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    def test_from_python(self, worker, tmp_path):
        job = jobs.noted.deploy("noted")
        made = job.job.schedule("0 3 * * *", timezone="Europe/Berlin", inputs={"path": str(tmp_path / "x")})
        other = job.job.schedule("@daily", inputs={"path": "x"}, grace=60)
        assert job.job.schedules() == [made, other]
        assert (made.cron, made.timezone, made.paused, made.last) == ("0 3 * * *", "Europe/Berlin", False, None)
        assert made.next > time.time()
        assert [schedule.paused for schedule in job.job.pause()] == [True, True]
        assert made.resume().paused is False
        assert [schedule.paused for schedule in job.job.schedules()] == [False, True]
        other.delete()
        assert [schedule.id for schedule in job.job.schedules()] == [made.id]
        with pytest.raises(NotFound):
            other.pause()
        job.job.delete()

    def test_over_http(self, worker):
        job = jobs.environment.deploy("environment")
        made = job.job.schedule("@daily")
        answer = requests.get(f"{worker.url}/v1/schedules", headers={"Authorization": f"Bearer {worker.token}"})
        (found,) = [schedule for schedule in answer.json()["schedules"] if schedule["id"] == made.id]
        assert found == made.to_dict()
        made.delete()

    def test_mistakes_are_found_when_it_is_made(self, worker):
        job = jobs.noted.deploy("noted")
        with pytest.raises(OptionError, match="five fields"):
            job.job.schedule("daily", inputs={"path": "x"})
        with pytest.raises(OptionError, match="no time zone 'Mars'"):
            job.job.schedule("@daily", timezone="Mars", inputs={"path": "x"})
        with pytest.raises(TypeError, match="path"):
            job.job.schedule("@daily")
        with pytest.raises(OptionError, match="grace"):
            job.job.schedule("@daily", inputs={"path": "x"}, grace=-1)
        with pytest.raises(OptionError, match="inputs of a schedule"):
            job.job.schedule("@daily", inputs={"path": "x" * (2 << 20)})
        assert job.job.schedules() == []


class TestCommands:
    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "operator_lib", "schedule", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def test_the_life_of_one(self, worker):
        job = jobs.noted.deploy("noted")
        made = json.loads(self.run("noted", "0 3 * * *", "--input", "path=3", "--json").stdout)
        assert made["cron"] == "0 3 * * *"
        assert self.run("pause", "noted").returncode == 0
        (listed,) = json.loads(self.run("list", "noted", "--json").stdout)
        assert (listed["id"], listed["paused"], listed["next"]) == (made["id"], True, None)
        assert self.run("resume", made["id"]).returncode == 0
        assert made["id"] in self.run("list").stdout
        assert self.run("delete", made["id"]).returncode == 0
        gone = self.run("delete", made["id"])
        assert (gone.returncode, "no schedule and no job" in gone.stderr) == (1, True)
        assert self.run("pause", "noted").returncode == 1
        job.job.delete()

    def test_a_job_with_the_name_of_a_verb(self, worker):
        job = jobs.environment.deploy("list")
        assert json.loads(self.run("add", "list", "@daily", "--json").stdout)["job"] == "list"
        job.job.delete()
