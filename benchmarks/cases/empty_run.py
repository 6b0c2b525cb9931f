"""A job that does nothing, from ``submit`` to its result, beside an interpreter that does nothing."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Generator

from benchmarks import project, workers
from benchmarks.case import Case, Round, alternate, seconds

SOURCE = """
from operator_lib import operator

@operator
def nothing():
    return None
"""


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    command = [sys.executable, "-c", "pass"]
    with workers.local() as local, project.module(SOURCE) as user:
        job = user.nothing.deploy("nothing")

        def interpreter() -> object:
            return subprocess.run(command, cwd=local.home, stdin=subprocess.DEVNULL, check=True)

        yield alternate(
            lambda: 1e3 * seconds(lambda: job.submit().result()),
            lambda: 1e3 * seconds(interpreter),
            times=2 if quick else 15,
        )


CASE = Case(
    name="empty_run",
    what="empty job run, submit to result",
    unit="ms",
    beside="python -c pass",
    goal_text="at most 1.5 ×",
    goal=1.5,
    rounds=rounds,
)
