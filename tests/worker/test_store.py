"""The store: what is acknowledged is kept, outcomes are recorded once, versions are dense."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading

import pytest
from stores import ROOT, a_run, deployed, integrity, opened

from operator_lib.errors import NotFound
from operator_lib.worker.store import (
    Ambiguous,
    Conflict,
    Refused,
    RunRow,
    StoreError,
)


class TestVersions:
    async def _fields(self, store):
        given = {
            "fingerprint": "f",
            "python": "3.11",
            "requirements": "numpy",
            "manifest": b"\x00\xff",
            "entry_sha256": "e" * 64,
            "entry_size": 7,
            "env_key": "k",
            "options_json": '{"timeout": 3}',
            "schema_json": '{"a": 1}',
            "dag_json": "[]",
        }
        deployment, version, existed = await store.put_version("a", "serving", **given)
        assert not existed
        assert (deployment.kind, deployment.live_version, version.number) == ("serving", 0, 1)
        assert version.status == "building"
        read = await store.version(deployment.id, 1)
        assert read == version
        assert {name: getattr(read, name) for name in given} == given

    def test_every_field_is_kept(self, place):
        with opened(place) as store:
            asyncio.run(self._fields(store))

    def test_the_same_fingerprint_is_the_same_version(self, place):
        async def work(store):
            first = await store.put_version("a", "job", fingerprint="one")
            second = await store.put_version("a", "job", fingerprint="two")
            again = await store.put_version("a", "job", fingerprint="one", python="ignored")
            assert (first[1].number, second[1].number, again[1].number) == (1, 2, 1)
            assert [first[2], second[2], again[2]] == [False, False, True]
            assert again[1] == first[1]

        with opened(place) as store:
            asyncio.run(work(store))

    def test_fifty_at_once_are_numbered_without_gaps(self, place):
        async def work(store):
            made = await asyncio.gather(
                *(store.put_version("a", "job", fingerprint=f"f{n}") for n in range(50)),
                *(store.put_version("a", "job", fingerprint=f"f{n}") for n in range(50)),
            )
            numbers = [version.number for _, version, _ in made]
            assert sorted(numbers) == sorted([*range(1, 51), *range(1, 51)])
            assert len({deployment.id for deployment, _, _ in made}) == 1
            assert sum(existed for _, _, existed in made) == 50
            assert [v.number for v in await store.versions(made[0][0].id)] == list(range(1, 51))

        with opened(place) as store:
            asyncio.run(work(store))

    def test_a_job_and_a_serving_may_share_a_name(self, place):
        async def work(store):
            job = await deployed(store, "both", "job")
            serving, _, existed = await store.put_version("both", "serving", fingerprint="x")
            assert (serving.id != job.id, existed) == (True, False)
            assert (await store.deployment(name="both", kind="job")).id == job.id
            assert (await store.deployment(name="both", kind="serving")).id == serving.id
            with pytest.raises(Ambiguous, match="'both' is both a job and a serving"):
                await store.deployment(name="both")
            await store.delete_deployment("both", "serving")
            assert (await store.deployment(name="both")).id == job.id

        with opened(place) as store:
            asyncio.run(work(store))

    def test_a_deleted_name_is_free(self, place):
        async def work(store):
            first = await deployed(store, "a", "job")
            gone = await store.delete_deployment("a")
            assert gone.deleted is not None
            assert await store.deployment(name="a") is None
            assert await store.deployment(id=first.id) == gone
            second, version, existed = await store.put_version("a", "serving", fingerprint="f1")
            assert second.id != first.id
            assert (version.number, existed) == (1, False)
            with pytest.raises(NotFound):
                await store.delete_deployment("b")
            with pytest.raises(NotFound):
                await store.make_live(first.id, 1)

        with opened(place) as store:
            asyncio.run(work(store))

    def test_only_a_ready_version_goes_live(self, place):
        async def work(store):
            deployment, _, _ = await store.put_version("a", "job", fingerprint="x")
            with pytest.raises(Refused, match="version 1 is building"):
                await store.make_live(deployment.id, 1)
            failed = await store.set_version_status(deployment.id, 1, "failed", "no such package")
            assert (failed.status, failed.message) == ("failed", "no such package")
            with pytest.raises(NotFound):
                await store.set_version_status(deployment.id, 2, "ready")
            with pytest.raises(StoreError):
                await store.set_version_status(deployment.id, 1, "nonsense")
            ready = await store.set_version_status(deployment.id, 1, "ready", env_key="k")
            assert (ready.env_key, ready.message) == ("k", "")
            assert (await store.make_live(deployment.id, 1)).live_version == 1
            assert await store.deployments(kind="serving") == []
            assert [d.name for d in await store.deployments()] == ["a"]

        with opened(place) as store:
            asyncio.run(work(store))


class TestRuns:
    def test_from_submit_to_outcome(self, place):
        async def work(store):
            job = await deployed(store)
            row, existed = await store.submit_run(a_run(job, "r1", input_inline=b"in", at_most_once=True))
            assert (row.status, existed, row.at_most_once) == ("PENDING", False, True)
            assert (await store.run("r1")).input_inline == b"in"
            assert await store.start_attempt("r1", "lease-1") == 1
            assert (await store.run("r1")).status == "RUNNING"
            assert await store.finish_run("r1", "lease-1", "FAILED", "exit_code", "exit 3", exit_code=3, peak_rss=1024)
            ended = await store.run("r1")
            assert (ended.status, ended.cause_kind, ended.cause) == ("FAILED", "exit_code", "exit 3")
            assert ended.created <= ended.started <= ended.ended
            (attempt,) = await store.attempts("r1")
            assert (attempt.n, attempt.lease, attempt.exit_code, attempt.peak_rss) == (1, "lease-1", 3, 1024)
            assert attempt.ended is not None

        with opened(place) as store:
            asyncio.run(work(store))

    def test_an_outcome_is_recorded_once_and_under_the_lease_alone(self, place):
        async def work(store):
            await store.submit_run(a_run(await deployed(store), "r"))
            assert not await store.finish_run("r", "never given", "COMPLETED")
            assert not await store.finish_run("r", "", "COMPLETED")
            await store.start_attempt("r", "one")
            with pytest.raises(Refused, match="run r is RUNNING"):
                await store.start_attempt("r", "two")
            assert not await store.close_run("r", "FAILED")
            assert await store.requeue("r", "one", "exit_code", "exit 1", crash=False)
            assert not await store.requeue("r", "one", "exit_code", "exit 1", crash=False)
            assert (await store.run("r")).cause == "exit 1"
            assert await store.start_attempt("r", "two") == 2
            assert not await store.finish_run("r", "one", "FAILED", "timeout")
            assert await store.finish_run("r", "two", "COMPLETED", result_size=5)
            for status in ("COMPLETED", "FAILED"):
                assert not await store.finish_run("r", "two", status)
                assert not await store.close_run("r", status)
            with pytest.raises(Refused, match="run r is COMPLETED"):
                await store.start_attempt("r", "three")
            row = await store.run("r")
            assert (row.status, row.result_size, row.attempts, row.crashes) == ("COMPLETED", 5, 2, 0)
            assert [a.cause for a in await store.attempts("r")] == ["exit 1", ""]
            with pytest.raises(ValueError, match="a run ends as one of"):
                await store.finish_run("r", "two", "RUNNING")
            with pytest.raises(NotFound):
                await store.start_attempt("nobody", "x")

        with opened(place) as store:
            asyncio.run(work(store))

    def test_one_key_is_one_run_whoever_comes_first(self, place):
        async def work(store):
            job = await deployed(store)
            same = await asyncio.gather(
                *(store.submit_run(a_run(job, f"r{n}", idempotency_key="k", input_sha256="a" * 64)) for n in range(50))
            )
            assert len({row.id for row, _ in same}) == 1
            assert sum(not existed for _, existed in same) == 1
            with pytest.raises(Conflict, match="'k' was used for run r0 of 'job' with other arguments"):
                await store.submit_run(a_run(job, "x", idempotency_key="k", input_sha256="b" * 64))
            other = await deployed(store, "other")
            assert not (await store.submit_run(a_run(other, "y", idempotency_key="k")))[1]
            no_key = [await store.submit_run(a_run(job, f"n{n}")) for n in range(2)]
            assert [existed for _, existed in no_key] == [False, False]
            with pytest.raises(Conflict, match="there is a run 'y' already"):
                await store.submit_run(a_run(job, "y"))

        with opened(place) as store:
            asyncio.run(work(store))

    def test_threads_with_loops_of_their_own_share_a_key(self, place):
        with opened(place) as store:
            job = asyncio.run(deployed(store))
            found: list[str] = []

            def submit(n):
                row, _ = asyncio.run(store.submit_run(a_run(job, f"t{n}", idempotency_key="k")))
                found.append(row.id)

            threads = [threading.Thread(target=submit, args=(n,)) for n in range(50)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(found) == 50
            assert len(set(found)) == 1

    def test_nothing_is_submitted_to_what_is_not_there(self, place):
        async def work(store):
            job = await deployed(store)
            with pytest.raises(NotFound, match="'other' is not deployed any more"):
                await store.submit_run(RunRow("r", "no such id", "other", 1))
            with pytest.raises(NotFound, match="has no version 9"):
                await store.submit_run(RunRow("r", job.id, "job", 9))
            await store.delete_deployment("job")
            with pytest.raises(NotFound, match="'job' is not deployed any more"):
                await store.submit_run(a_run(job, "r"))

        with opened(place) as store:
            asyncio.run(work(store))

    def test_a_run_that_is_to_be_cancelled_cannot_start(self, place):
        async def work(store):
            job = await deployed(store)
            for id in ("waiting", "running", "ended"):
                await store.submit_run(a_run(job, id))
            assert (await store.request_cancel("waiting")).cancel_requested
            with pytest.raises(Refused, match="is to be cancelled"):
                await store.start_attempt("waiting", "x")
            assert await store.close_run("waiting", "CANCELLED", "cancelled", "cancelled before it started")
            await store.start_attempt("running", "l")
            assert (await store.request_cancel("running")).status == "RUNNING"
            assert await store.finish_run("running", "l", "CANCELLED", "cancelled")
            await store.start_attempt("ended", "l")
            await store.finish_run("ended", "l", "COMPLETED")
            late = await store.request_cancel("ended")
            assert (late.status, late.cancel_requested) == ("COMPLETED", False)
            with pytest.raises(NotFound):
                await store.request_cancel("nobody")

        with opened(place) as store:
            asyncio.run(work(store))

    def test_cancel_and_finish_race_to_one_end(self, place):
        async def race(store, id, job):
            await store.submit_run(a_run(job, id))
            await store.start_attempt(id, "l")

            async def cancel():
                row = await store.request_cancel(id)
                return not row.terminal and await store.finish_run(id, "l", "CANCELLED", "cancelled")

            won = await asyncio.gather(store.finish_run(id, "l", "COMPLETED"), cancel())
            assert sum(won) == 1
            return (await store.run(id)).status == ("COMPLETED" if won[0] else "CANCELLED")

        async def work(store):
            job = await deployed(store)
            assert all(await asyncio.gather(*(race(store, f"r{n}", job) for n in range(200))))

        with opened(place) as store:
            asyncio.run(work(store))

    def test_a_bad_end_can_be_taken_back_once(self, place):
        async def work(store):
            job = await deployed(store)
            for id, end in (("f", "FAILED"), ("t", "TIMEOUT"), ("c", "CANCELLED"), ("ok", "COMPLETED")):
                await store.submit_run(a_run(job, id))
                await store.start_attempt(id, "l")
                await store.request_cancel(id)
                await store.finish_run(id, "l", end, "why", "in words")
            assert sum(await asyncio.gather(*(store.reopen("f") for _ in range(20)))) == 1
            assert [await store.reopen(id) for id in ("t", "c", "ok", "nobody")] == [True, True, False, False]
            row = await store.run("f")
            assert (row.status, row.ended, row.cause, row.attempts) == ("PENDING", None, "", 1)
            assert not row.cancel_requested
            assert not await store.finish_run("f", "l", "FAILED"), "under the lease of before"
            assert await store.start_attempt("f", "m") == 2
            assert not await store.reopen("f")
            await store.submit_run(a_run(job, "map", kind="map"))
            await store.close_run("map", "FAILED")
            assert not await store.reopen("map")

        with opened(place) as store:
            asyncio.run(work(store))

    def test_maps_count_up_until_they_end(self, place):
        async def work(store):
            await store.submit_run(a_run(await deployed(store), "m", kind="map"))
            await store.start_attempt("m", "l")
            await store.update_map("m", 5)
            await store.update_map("m", 3)
            assert (await store.run("m")).done == 5
            await store.finish_run("m", "l", "COMPLETED")
            await store.update_map("m", 9)
            assert ((await store.run("m")).done, (await store.run("m")).kind) == (5, "map")

        with opened(place) as store:
            asyncio.run(work(store))

    def test_lists_are_filtered_newest_first(self, place):
        async def work(store):
            one, two, tasks = await deployed(store, "one"), await deployed(store, "two"), []
            for n in range(2000):
                job = one if n % 10 else two
                submitted = store.submit_run(a_run(job, f"r{n}", input_inline=b"x" * 500))
                tasks.append(asyncio.ensure_future(submitted))
            await asyncio.gather(*tasks)
            for n in range(0, 200, 10):
                await store.start_attempt(f"r{n}", "l")
            assert [row.id for row in await store.runs(limit=3)] == ["r1999", "r1998", "r1997"]
            assert [row.id for row in await store.runs(job="two", limit=2)] == ["r1990", "r1980"]
            assert [row.id for row in await store.runs(status="RUNNING", limit=1)] == ["r190"]
            assert await store.runs(job="one", status="RUNNING") == []
            assert (await store.runs(limit=1))[0].input_inline is None
            assert len(await store.runs(job="two", limit=5000)) == 200
            assert (await store.counts())["PENDING"] == 1_980

        with opened(place) as store:
            asyncio.run(work(store))


WRITER = """
import asyncio, sys
from operator_lib.worker.store import RunRow
from operator_lib.worker.store.opening import open_store

async def one(store, job, id):
    await store.submit_run(RunRow(id, job.id, "job", 1, input_inline=b"x" * 200))
    print("submitted", id, flush=True)
    await store.start_attempt(id, "l" + id)
    print("started", id, flush=True)
    if await store.finish_run(id, "l" + id, "COMPLETED"):
        print("finished", id, flush=True)

async def work(url, prefix):
    from pathlib import Path
    store = open_store(url, Path())
    job, _, _ = await store.put_version("job", "job", fingerprint=prefix)
    await store.recover()
    for n in range(100_000):
        await asyncio.gather(*(one(store, job, f"{prefix}-{n}-{k}") for k in range(8)))

asyncio.run(work(sys.argv[1], sys.argv[2]))
"""


class TestRecovery:
    def test_open_attempts_are_closed_and_work_comes_back_in_order(self, place):
        async def before(store):
            job = await deployed(store)
            for n in range(6):
                await store.submit_run(a_run(job, f"r{n}", at_most_once=n == 2))
            for n in (1, 2, 3, 4):
                await store.start_attempt(f"r{n}", f"l{n}")
            await store.finish_run("r3", "l3", "COMPLETED")
            await store.request_cancel("r4")

        async def after(store):
            rows = await store.recover()
            assert [row.id for row in rows] == ["r0", "r1", "r2", "r4", "r5"]
            assert [(row.attempts, row.crashes) for row in rows] == [(0, 0), (1, 1), (1, 1), (1, 1), (0, 0)]
            assert {row.status for row in rows} == {"PENDING"}
            assert [row.cancel_requested for row in rows] == [False, False, False, True, False]
            (attempt,) = await store.attempts("r1")
            assert (attempt.cause_kind, attempt.cause) == ("worker_lost", "worker restarted")
            assert not await store.finish_run("r1", "l1", "COMPLETED")
            assert await store.start_attempt("r1", "new") == 2
            with pytest.raises(Refused, match="run at most once"):
                await store.start_attempt("r2", "new")
            assert await store.close_run("r2", "FAILED", "worker_lost", "worker restarted")

        with opened(place) as store:
            asyncio.run(before(store))
        with opened(place) as store:
            asyncio.run(after(store))
        with opened(place) as store:
            rows = asyncio.run(store.recover())
            assert {row.id: row.crashes for row in rows} == {"r0": 0, "r1": 2, "r4": 1, "r5": 0}
            assert asyncio.run(store.recover()) == rows

    def test_nothing_acknowledged_is_lost_by_kill_nine(self, place):
        acked: set[str] = set()
        url = place if isinstance(place, str) else f"sqlite:///{place}"
        for attempt in range(4):
            writer = subprocess.Popen(
                [sys.executable, "-c", WRITER, url, f"p{attempt}"],
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
            )
            with writer:
                for _ in range(40 * (attempt + 1)):
                    acked.add(writer.stdout.readline().strip())
                writer.send_signal(signal.SIGKILL)
                # What it had said before it died counts too; the last line may be cut.
                acked.update(line for line in writer.stdout.read().split("\n")[:-1] if line)
            assert writer.returncode == -signal.SIGKILL
        assert len(acked) > 300
        assert isinstance(place, str) or integrity(place) == "ok"
        with opened(place) as store:
            asyncio.run(store.recover())
            asyncio.run(_all_there(store, acked))


async def _all_there(store, acked):
    for line in acked:
        what, id = line.split()
        row = await store.run(id)
        assert row is not None, line
        assert what != "finished" or row.status == "COMPLETED", line
        assert what != "started" or row.attempts >= 1, line
    numbers = [v.number for v in await store.versions((await store.deployment(name="job")).id)]
    assert numbers == list(range(1, len(numbers) + 1))
