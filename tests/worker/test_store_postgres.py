"""PostgreSQL restarts, answers get lost, databases are wrong: nothing acknowledged is lost, nothing is done twice."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading

import pytest
from stores import a_run, deployed, opened

from operator_lib.worker.store import StoreAway, StoreError
from operator_lib.worker.store import postgres_link as link
from operator_lib.worker.store.url import check

PASSWORD = "pass-word-of-the-tests"


@pytest.mark.timeout(300)  # after a crash it writes all of its files to the disk, which others may keep busy
def test_a_restart_under_load_loses_no_accepted_run_and_starts_none_twice(postgres):
    async def work(store):
        job = await deployed(store)
        stopped = threading.Event()

        def restart():
            try:
                for how in ("immediate", "fast"):
                    postgres.stop(how)
                    postgres.start()
            finally:
                stopped.set()

        restarting = asyncio.create_task(asyncio.to_thread(restart))
        accepted, started = [], []

        async def client(k):
            n = 0
            while not stopped.is_set() or n < 20:
                row, existed = await store.submit_run(a_run(job, f"r{k}-{n}", idempotency_key=f"{k}-{n}"))
                assert not existed
                accepted.append(row.id)
                if n % 3 == 0:
                    started.append((row.id, await store.start_attempt(row.id, "lease")))
                    assert (await store.run(row.id)).status == "RUNNING"
                n += 1

        await asyncio.gather(*(client(k) for k in range(8)))
        await restarting
        there = [row.id for row in await store.runs(limit=1_000_000)]
        assert sorted(there) == sorted(accepted)
        assert {n for _, n in started} == {1}
        for run_id, _ in started:
            assert len(await store.attempts(run_id)) == 1

    with opened(postgres.database("restarted")) as store:
        asyncio.run(work(store))


class Between:
    """Stands between the store and the server, and cuts a connection when a commit comes by."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.cut = ""  # "before" the server hears of the commit, or "after"
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                server = socket.create_connection(("127.0.0.1", self.port))
                threading.Thread(target=self._up, args=(client, server), daemon=True).start()
                threading.Thread(target=self._down, args=(server, client), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                cut = self.cut if b"COMMIT" in data else ""
                if cut:
                    self.cut, self.cuts = "", self.cuts + 1
                    client.shutdown(socket.SHUT_RDWR)  # its answer is lost
                if cut != "before":
                    server.sendall(data)
                if cut:
                    break
            server.shutdown(socket.SHUT_WR)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_commit_whose_answer_is_lost_is_done_once(postgres, cut):
    name = f"lost_{cut}"
    postgres.database(name)
    between = Between(postgres.port)
    url = f"postgresql://tests@127.0.0.1:{between.listening.getsockname()[1]}/{name}"

    async def work(store):
        job = await deployed(store)
        commits = store.commits
        between.cut = cut
        rows = await asyncio.gather(*(store.submit_run(a_run(job, f"r{n}")) for n in range(5)))
        assert between.cuts == 1
        assert [existed for _, existed in rows] == [False] * 5, "a second time they would be in conflict"
        assert store.commits - commits <= 5
        assert sorted(row.id for row in await store.runs()) == [f"r{n}" for n in range(5)]

    with opened(url) as store:
        asyncio.run(work(store))
    between.listening.close()


def test_a_server_that_stays_away_is_an_error_in_words_and_it_goes_on_when_it_is_back(postgres, monkeypatch):
    monkeypatch.setattr(link, "PATIENCE", 0.5)
    monkeypatch.setattr("operator_lib.worker.store.postgres.PATIENCE", 0.5)

    async def work(store):
        job = await deployed(store)
        await store.run("nobody")
        postgres.stop()
        for asked in (store.submit_run(a_run(job, "r1")), store.run("r1")):
            with pytest.raises(StoreAway, match=r"postgresql://tests@127.0.0.1:\d+/away does not answer") as away:
                await asked
            assert PASSWORD not in str(away.value)
        postgres.start()
        await store.submit_run(a_run(job, "r1"))
        assert (await store.run("r1")).status == "PENDING"

    url = postgres.database("away").replace("tests@", f"tests:{PASSWORD}@")
    with opened(url) as store:
        asyncio.run(work(store))


def test_what_cannot_be_used_is_refused_with_what_to_do(postgres, database):
    import psycopg

    with opened(database):
        pass
    theirs, newer = postgres.database("theirs"), database
    with psycopg.connect(theirs, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA operator_lib; CREATE TABLE operator_lib.things (x int)")
    with psycopg.connect(newer, autocommit=True) as connection:
        connection.execute("UPDATE operator_lib.schema_version SET version = 99")
        connection.execute("CREATE ROLE guest LOGIN")
    postgres.database("closed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"postgresql://tests:{PASSWORD}@127.0.0.1:{free.getsockname()[1]}/x"
    for url, words in (
        (nobody, r"cannot open the store postgresql://tests@127.0.0.1:\d+/x: .*check that the server runs"),
        (postgres.url("missing"), 'database "missing" does not exist; make it first: createdb'),
        (newer, "has schema 99, .* a newer release has written it"),
        (theirs, "has tables of another program. It was left as it is"),
        (postgres.url("closed").replace("tests@", "guest@"), "permission denied.*CREATE SCHEMA operator_lib"),
        (f"postgresql://tests:{PASSWORD}@[nonsense", "that is no URL of a PostgreSQL database"),
    ):
        with pytest.raises(StoreError, match=words) as refused, opened(url):
            pass
        assert PASSWORD not in str(refused.value)


def test_a_nul_in_a_cause_is_no_obstacle(database):
    async def work(store):
        job = await deployed(store)
        await store.submit_run(a_run(job, "r"))
        await store.start_attempt("r", "lease")
        assert await store.finish_run("r", "lease", "FAILED", "user_exception", "half\0way")
        assert (await store.run("r")).cause == "half\ufffdway"

    with opened(database) as store:
        asyncio.run(work(store))


def test_urls_and_what_is_not_installed(monkeypatch):
    for url, words in (
        ("mysql://me:secret@host/db", "there is no store of the kind 'mysql'"),
        ("/var/lib/state.db", "that is no URL; give sqlite:///PATH or postgresql://"),
        ("sqlite:///", "names no file"),
    ):
        with pytest.raises(ValueError, match=words) as refused:
            check(url)
        assert "secret" not in str(refused.value)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    needed = r"needs psycopg: pip install 'operator_lib\[postgres\]'"
    with pytest.raises(StoreError, match=needed), opened("postgresql:///x"):
        pass
