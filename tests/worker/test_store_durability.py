"""The store under a killed process, a full disk, a damaged file, a second worker."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import time

import pytest
from stores import ROOT, a_run, deployed, integrity, opened

from operator_lib.worker.store import (
    AlreadyRunning,
    HomeLock,
    RunRow,
    SqliteStore,
    StoreError,
)


class TestCommits:
    def test_a_burst_takes_few_commits(self, path):
        async def work(store):
            job = await deployed(store)
            before, begun = store.commits, time.perf_counter()
            await asyncio.gather(*(store.submit_run(a_run(job, f"r{n}")) for n in range(1000)))
            took = time.perf_counter() - begun
            print(f"1000 submits: {1000 / took:.0f} a second in {store.commits - before} commits")
            assert store.commits - before <= 20
            assert (await store.counts())["PENDING"] == 1000

        with opened(path) as store:
            asyncio.run(work(store))

    def test_one_that_fails_leaves_its_neighbours_alone(self, path):
        async def work(store):
            job = await deployed(store)
            bad = RunRow("bad", job.id, "job", 1, kind="nonsense")
            results = await asyncio.gather(
                *(store.submit_run(a_run(job, f"r{n}")) for n in range(10)),
                store.submit_run(bad),
                store.submit_run(a_run(job, "\ud800")),
                store.start_attempt("nobody", "l"),
                store.put_version("half", "job", fingerprint=None),
                *(store.submit_run(a_run(job, f"s{n}")) for n in range(10)),
                return_exceptions=True,
            )
            failed = [r for r in results if isinstance(r, Exception)]
            assert len(failed) == 4
            assert await store.deployment(name="half") is None
            assert (await store.counts())["PENDING"] == 20

        with opened(path) as store:
            asyncio.run(work(store))

    def test_a_write_goes_on_when_its_caller_is_cancelled(self, path):
        async def work(store):
            job = await deployed(store)
            task = asyncio.create_task(store.submit_run(a_run(job, "r")))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await store.submit_run(a_run(job, "after"))
            assert await store.run("r") is not None

        with opened(path) as store:
            asyncio.run(work(store))

    def test_closing_writes_what_waits_and_refuses_the_rest(self, path):
        async def work():
            store = SqliteStore(path)
            job = await deployed(store)
            tasks = [asyncio.create_task(store.submit_run(a_run(job, f"r{n}"))) for n in range(5)]
            await asyncio.sleep(0)
            store.close()
            await asyncio.gather(*tasks)
            with pytest.raises(StoreError, match="is closed"):
                await store.submit_run(a_run(job, "late"))
            store.close()

        asyncio.run(work())
        with opened(path) as store:
            assert asyncio.run(store.counts())["PENDING"] == 5

    def test_another_programs_lock_is_waited_for(self, path):
        async def work(store):
            job = await deployed(store)
            other = sqlite3.connect(path, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            submit = asyncio.create_task(store.submit_run(a_run(job, "r")))
            done, _ = await asyncio.wait({submit}, timeout=0.3)
            assert not done
            other.execute("ROLLBACK")
            await submit
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM runs").fetchone()
            await store.submit_run(a_run(job, "beside a reader"))
            other.close()
            assert await store.run("beside a reader") is not None

        with opened(path) as store:
            asyncio.run(work(store))


FILLER = """
import asyncio, resource, sys
from operator_lib.worker.store import SqliteStore, RunRow, StoreError

async def work(path):
    store = SqliteStore(path)
    job, _, _ = await store.put_version("job", "job", fingerprint="f")
    def limit(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    limit(600_000)
    acked, failed = [], None
    for n in range(1000):
        try:
            row, _ = await store.submit_run(RunRow(f"r{n}", job.id, "job", 1, input_inline=b"x" * 10_000))
            acked.append(row.id)
        except StoreError as error:
            failed = error
            break
    assert failed is not None and isinstance(failed, OSError), failed
    assert "could not be written" in str(failed) and "disk" in str(failed), failed
    assert None not in [await store.run(id) for id in acked] and await store.run(f"r{n}") is None
    both = await asyncio.gather(
        store.submit_run(RunRow("big", job.id, "job", 1, input_inline=b"x" * 700_000)),
        store.submit_run(RunRow("big2", job.id, "job", 1, input_inline=b"x" * 700_000)),
        return_exceptions=True)
    assert all(isinstance(e, StoreError) for e in both), both
    limit(resource.RLIM_INFINITY)
    for n in range(20):
        row, _ = await store.submit_run(RunRow(f"again{n}", job.id, "job", 1))
        acked.append(row.id)
    store.close()
    print(" ".join(acked))

asyncio.run(work(sys.argv[1]))
"""


class TestFullDisk:
    def test_nothing_is_acknowledged_and_it_goes_on_when_there_is_space(self, path):
        done = subprocess.run(
            [sys.executable, "-c", FILLER, str(path)], capture_output=True, text=True, cwd=ROOT, timeout=60
        )
        assert done.returncode == 0, done.stderr
        acked = done.stdout.split()
        assert len(acked) > 25
        assert integrity(path) == "ok"
        with opened(path) as store:
            assert {row.id for row in asyncio.run(store.runs(limit=10_000))} == set(acked)

    def test_a_full_file_system(self, tmp_path):
        mount = tmp_path / "small"
        mount.mkdir()
        if os.geteuid() != 0:
            pytest.skip("mounting a small file system needs root; the limit on file sizes is tested above")
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mount)], capture_output=True)
        if made.returncode:
            pytest.skip(f"no tmpfs here: {made.stderr.decode().strip()}")
        try:
            asyncio.run(self._fill(mount))
        finally:
            subprocess.run(["umount", str(mount)], check=True)

    async def _fill(self, mount):
        with opened(mount / "store.db") as store:
            job = await deployed(store)
            acked = []
            failed = None
            while failed is None:
                row = a_run(job, f"r{len(acked)}", input_inline=b"x" * 5000)
                try:
                    await store.submit_run(row)
                    acked.append(row.id)
                except StoreError as error:
                    failed = error
            assert "the disk is full" in str(failed)
            assert len(acked) > 10
            subprocess.run(["mount", "-o", "remount,size=4m", str(mount)], check=True)
            await store.submit_run(a_run(job, "after"))
            assert {row.id for row in await store.runs(limit=1000)} == {*acked, "after"}
        assert integrity(mount / "store.db") == "ok"


class TestFile:
    def test_settings_and_mode(self, path):
        with opened(path) as store:
            pragma = {
                name: store.engine._connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "mmap_size",
                             "wal_autocheckpoint", "journal_size_limit")
            }  # fmt: skip
            assert pragma == {
                "journal_mode": "wal",
                "synchronous": 2,
                "foreign_keys": 1,
                "busy_timeout": 5000,
                "mmap_size": 0,
                "wal_autocheckpoint": 1000,
                "journal_size_limit": 67108864,
            }
            with pytest.raises(sqlite3.OperationalError):
                store.engine._reader.execute("DELETE FROM runs")
            for file in path.parent.iterdir():
                assert file.stat().st_mode & 0o077 == 0, file

    @pytest.mark.parametrize("content", [b"garbage", b"x" * 10_000, b"SQLite format 3\0" + b"\xff" * 5000])
    def test_garbage_is_refused_and_left_alone(self, path, content):
        path.write_bytes(content)
        with pytest.raises(StoreError, match=r"store\.db cannot be used.*left as it is"):
            SqliteStore(path)
        assert path.read_bytes() == content

    def test_a_truncated_file_is_refused(self, path):
        async def fill(store):
            job = await deployed(store)
            await asyncio.gather(*(store.submit_run(a_run(job, f"r{n}", input_inline=b"x" * 900)) for n in range(200)))

        with opened(path) as store:
            asyncio.run(fill(store))
        whole = path.read_bytes()
        for share in (0.1, 0.5, 0.9):
            path.write_bytes(whole[: int(len(whole) * share)])
            with pytest.raises(StoreError, match="cannot be used"):
                SqliteStore(path)
        path.write_bytes(whole)
        with opened(path) as store:
            assert asyncio.run(store.counts())["PENDING"] == 200

    def test_a_newer_schema_is_refused(self, path):
        with opened(path):
            pass
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA user_version = 99")
        connection.close()
        with pytest.raises(StoreError, match="has schema 99.*newer release"):
            SqliteStore(path)

    def test_another_programs_database_is_refused(self, path):
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE theirs (x)")
        connection.commit()
        connection.close()
        with pytest.raises(StoreError, match="another program"):
            SqliteStore(path)

    def test_a_folder_in_the_way_or_no_folder(self, tmp_path):
        (tmp_path / "dir.db").mkdir()
        with pytest.raises(StoreError, match="it is a folder"):
            SqliteStore(tmp_path / "dir.db")
        with pytest.raises(StoreError, match="cannot open the store"):
            SqliteStore(tmp_path / "missing" / "store.db")


HOLDER = """
import sys
from operator_lib.worker.store import HomeLock, AlreadyRunning
try:
    lock = HomeLock(sys.argv[1])
except AlreadyRunning as taken:
    print("taken", taken.pid, flush=True)
else:
    print("held", flush=True)
    sys.stdin.read()
"""


class TestHomeLock:
    def start(self, home):
        return subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def test_the_second_is_told_who_is_first_and_a_kill_frees_the_home(self, tmp_path):
        home = tmp_path / "home"
        with self.start(home) as first:
            assert first.stdout.readline() == "held\n"
            with pytest.raises(AlreadyRunning, match=f"already running in .*pid {first.pid}") as taken:
                HomeLock(home)
            assert taken.value.pid == first.pid
            first.kill()
            first.wait()
            with HomeLock(home) as lock:
                assert lock.path.read_text() == f"{os.getpid()}\n"
                assert lock.path.stat().st_mode & 0o777 == 0o600
                with pytest.raises(AlreadyRunning):
                    HomeLock(home)
            with HomeLock(home):
                pass

    def test_of_many_at_once_one_wins(self, tmp_path):
        many = [self.start(tmp_path) for _ in range(6)]
        answers = [process.stdout.readline().split() for process in many]
        winner = many[[answer[0] for answer in answers].index("held")]
        assert sorted(answer[0] for answer in answers) == ["held", *["taken"] * 5]
        assert {answer[1] for answer in answers if answer[0] == "taken"} == {str(winner.pid)}
        for process in many:
            process.stdin.close()
            process.wait()
            process.stdout.close()
