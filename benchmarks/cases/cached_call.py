"""A call whose output is stored: 1 KB in, 1 KB out."""

from __future__ import annotations

import contextlib
import os
import tempfile
import timeit
from collections.abc import Generator

from benchmarks.case import Case, Round, Sample


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    from operator_lib import Operator

    class Same(Operator):
        class Options:
            cacheable = True

        def forward(self, data: bytes) -> bytes:
            return data

    op, data, calls = Same(), os.urandom(1024), 20 if quick else 200
    with tempfile.TemporaryDirectory() as home:
        before = os.environ.get("OPERATOR_LIB_HOME")
        os.environ["OPERATOR_LIB_HOME"] = home
        try:
            assert op(data) == data
            yield lambda: Sample(1e6 * timeit.timeit(lambda: op(data), number=calls) / calls)
        finally:
            os.environ.pop("OPERATOR_LIB_HOME")
            if before is not None:
                os.environ["OPERATOR_LIB_HOME"] = before


CASE = Case(
    name="cached_call",
    what="op(x), stored output, 1 KB",
    unit="µs",
    beside="limit 200 µs",
    goal_text="at most 200 µs",
    limit=200.0,
    rounds=rounds,
)
