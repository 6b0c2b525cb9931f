"""One caller that submits runs, each stored before its ``submit`` returns."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from benchmarks import load, project, workers
from benchmarks.case import Round, Sample, seconds
from benchmarks.cases.queue_runs import SOURCE


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    count = 20 if quick else 1_000
    with workers.local(max_runs="1"), project.module(SOURCE) as user:
        job = user.waits.deploy("waits")
        job.submit(0)  # occupies the one place
        yield lambda: Sample(count / seconds(lambda: [job.submit(number) for number in range(count)]))


CASE = load.case("load_submit", "queued runs accepted a second, 1 caller", "/s", 1_000, rounds, better="higher")
