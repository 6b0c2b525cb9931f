"""``import operator_lib`` in a fresh interpreter, beside an interpreter that does nothing."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Generator
from functools import partial

from benchmarks.case import Case, Round, alternate, seconds


@contextlib.contextmanager
def fresh(code: str, quick: bool) -> Generator[Round]:
    """`code` in an interpreter of its own, beside nothing in another."""
    # An empty folder, so that neither side finds anything on sys.path that an installation would not have.
    with tempfile.TemporaryDirectory(prefix="operator-lib-benchmark-") as folder:

        def interpreter(statement: str) -> float:
            command = [sys.executable, "-c", statement]
            return 1e3 * seconds(lambda: subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, check=True))

        yield alternate(lambda: interpreter(code), lambda: interpreter("pass"), times=1 if quick else 7)


CASE = Case(
    name="import_time",
    what="import operator_lib, fresh process",
    unit="ms",
    beside="python -c pass",
    goal_text="at most 60 ms more",
    limit=60.0,
    rounds=partial(fresh, "import operator_lib"),
)
