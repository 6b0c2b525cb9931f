"""The slowest one in a hundred ``submit`` where 100,000 runs wait, beside the same where next to none do."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from typing import Any

from benchmarks import load, project, queues, workers
from benchmarks.case import Case, Round, alternate, seconds
from benchmarks.cases.queue_runs import SOURCE


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    count = 20 if quick else 300

    def slow(job: Any) -> float:
        return 1e3 * load.p99([seconds(lambda: job.submit(0)) for _ in range(count)])

    with queues.long(quick) as (_, deep), workers.local(max_runs="1"), project.module(SOURCE) as user:
        shallow = user.waits.deploy("waits")
        shallow.submit(0)
        assert os.environ["OPERATOR_LIB_HOME"]
        yield alternate(lambda: slow(deep), lambda: slow(shallow))


CASE = Case(
    name="load_queue_submit",
    what="submit, p99, 100,000 runs in the queue",
    unit="ms",
    beside="empty queue",
    goal_text="at most 2 ×",
    goal=2.0,
    rounds=rounds,
    group="load",
)
