"""The slowest of what lists something, with 10,000 runs in history."""

from __future__ import annotations

import contextlib
import statistics
import urllib.request
from collections.abc import Callable, Generator

from benchmarks import history, project, workers
from benchmarks.case import Case, Round, Sample, seconds

SOURCE = """
from operator_lib import operator

@operator
def nothing():
    return None
"""
SCHEDULES = 100


@contextlib.contextmanager
def listings(quick: bool) -> Generator[dict[str, Callable[[], object]]]:
    """What is asked for, by name."""
    from operator_lib.client import connect, inventory, schedules

    with workers.local() as local, project.module(SOURCE) as user:
        job = user.nothing.deploy("nothing")
        job()
        history.fill(local.home, 200 if quick else 10_000)
        connection = connect.connect()
        for _ in range(2 if quick else SCHEDULES):
            job.job.schedule("0 0 1 1 *")
        newest = job.runs(1)[0].id

        def page(path: str) -> bytes:
            asked = urllib.request.Request(local.url + path, headers={"Authorization": f"Bearer {local.token}"})
            with urllib.request.urlopen(asked) as answer:
                return answer.read()

        assert len(job.runs(100)) == 100
        assert all(run.result() is None for run in job.runs(100))
        yield {
            "job.runs(100)": lambda: job.runs(100),
            "runs": lambda: inventory.runs(connection, limit=100),
            "runs of a job, COMPLETED": lambda: inventory.runs(connection, "nothing", status="COMPLETED", limit=100),
            "runs, FAILED": lambda: inventory.runs(connection, status="FAILED", limit=100),
            "events of a run": lambda: list(inventory.events(connection, newest)),
            "deployments": lambda: inventory.deployments(connection),
            "schedules": lambda: schedules.listed(connection),
            **{
                f"GET {path}": lambda path=path: page(path)
                for path in ("/v1/runs?limit=100", f"/v1/runs/{newest}/events", "/v1/jobs", "/v1/schedules")
            },
        }


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    with listings(quick) as asked:

        def one() -> Sample:
            spent = {name: statistics.median(1e3 * seconds(ask) for _ in range(9)) for name, ask in asked.items()}
            print(*(f"{name}: {taken:.1f} ms" for name, taken in spent.items()), sep="\n", flush=True)
            return Sample(max(spent.values()))

        yield one


CASE = Case(
    name="list_runs",
    what="listing runs, events, deployments, schedules, 10,000 runs in history, the slowest",
    unit="ms",
    beside="limit",
    goal_text="at most 50 ms",
    limit=50.0,
    rounds=rounds,
)
