"""A project that the worker has never seen: from ``deploy`` to the first answer of the serving."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator

from benchmarks import project, workers
from benchmarks.case import Case, Round, Sample

SOURCE = """
from operator_lib import operator

@operator
class Subject:
    def __call__(self, x):
        return x
"""


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    def one() -> Sample:
        with project.module(SOURCE) as user:
            start = time.perf_counter()
            remote = user.Subject.deploy(user.__name__)
            assert remote(1) == 1
            taken = 1e3 * (time.perf_counter() - start)
            remote.serving.delete()
        return Sample(taken)

    with workers.local():
        yield one


CASE = Case(
    name="deploy_serving",
    what="deploy to first answer, new serving, warm worker",
    unit="ms",
    beside="limit 0.5 s",
    goal_text="at most 0.5 s",
    limit=500.0,
    rounds=rounds,
)
