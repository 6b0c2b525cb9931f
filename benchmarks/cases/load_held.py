"""200 connections over HTTP, kept busy for a minute: how long a call takes at most, but for one in a hundred.

A call that is not answered with 200 fails the round.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from benchmarks import project, workers
from benchmarks.case import Round, Sample
from benchmarks.cases.http_latency import BODY, SOURCE
from benchmarks.http_load import load
from benchmarks.load import case

CALLERS = 200


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    length = 0.5 if quick else 60.0
    with workers.local() as worker, project.module(SOURCE) as user:
        remote = user.double.deploy("double")
        port = int(worker.url.rpartition(":")[2])

        def one() -> Sample:
            found = load(port, "/v1/servings/double", BODY, callers=CALLERS, length=length, token=remote.token)
            return Sample(found.p99 / 1e3)

        yield one


CASE = case("load_held", "200 clients over HTTP for 60 s, none refused: p99", "ms", 1_000.0, rounds, most=2)
