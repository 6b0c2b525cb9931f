"""What ``strategy="auto"`` picks, at every size of batch, beside a plain Python loop; the worst ratio counts."""

from __future__ import annotations

import contextlib
import statistics
import timeit
from collections.abc import Callable, Generator
from typing import Any

from benchmarks.case import Case, Round, Sample


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    from benchmarks.peers import lanes as programs
    from operator_lib.autobatch import Context

    pairs: list[tuple[Callable[[], Any], Callable[[], Any], int]] = []
    for function in (programs.fib, programs.collatz, programs.mandelbrot):
        for lanes in (1, 10) if quick else (1, 10, 100, 1_000, 10_000):
            columns = programs.inputs(function, lanes)
            batched = Context().batch(function)
            for _ in range(8):  # what is tried is tried in the first calls
                batched(*columns)
            ours = lambda b=batched, c=columns: b(*c)  # noqa: E731
            loop = lambda f=function, c=columns: programs.plain(f, c)  # noqa: E731
            pairs.append((ours, loop, max(1, (200 if quick else 2_000) // lanes)))

    def one() -> Sample:
        ratios: list[float] = []
        for ours, loop, times in pairs:
            found = [timeit.timeit(ours, number=times) / timeit.timeit(loop, number=times) for _ in range(3)]
            ratios.append(statistics.median(found))
        return Sample(max(ratios))

    yield one


CASE = Case(
    name="autobatch_auto",
    what="auto, 1 to 10,000 examples: slowest, in plain loops",
    unit="×",
    beside="1.05 plain loops",
    goal_text="at most 1.05 ×",
    rounds=rounds,
    limit=1.05,
    needs={"numba": "numba>=0.61"},
)
