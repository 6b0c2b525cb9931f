"""Runs that have to wait: how many a second PostgreSQL accepts, beside a worker with its usual SQLite file."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor

from benchmarks import project, workers
from benchmarks.case import Case, Round, alternate, seconds
from benchmarks.cases.queue_runs import CALLERS, SOURCE
from benchmarks.peers.postgres import Server


@contextlib.contextmanager
def accepting(count: int, **options: str) -> Generator[Callable[[], float]]:
    """A worker whose only place is occupied; runs accepted a second, each durable before its ``submit`` returns."""
    with workers.local(max_runs="1", **options) as local, project.module(SOURCE) as user:
        job = user.waits.deploy("waits", address=local.grpc_address, token=local.token)
        job.submit(0)  # occupies the one place
        with ThreadPoolExecutor(CALLERS) as pool:
            yield lambda: count / seconds(lambda: list(pool.map(job.submit, range(count))))


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    count = 40 if quick else 1000
    with contextlib.closing(Server()) as server:
        server.start()
        with accepting(count, store=server.database("runs")) as ours, accepting(count) as sqlite:
            yield alternate(ours, sqlite)


CASE = Case(
    name="store_postgres",
    what="queued runs accepted a second into PostgreSQL, 8 callers",
    unit="/s",
    beside="SQLite",
    goal_text="at least 0.5 ×",
    goal=0.5,
    better="higher",
    rounds=rounds,
    needs={"psycopg": "psycopg[binary]>=3.2"},
)
