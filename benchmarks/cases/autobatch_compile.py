"""From source to a program that can be run on NumPy."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Generator

from benchmarks.case import Case, Round, Sample, seconds


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    from benchmarks.peers import lanes as programs
    from operator_lib.autobatch import Context

    functions = (programs.fib, programs.collatz, programs.newton, programs.mandelbrot)

    def compiled(function: object) -> None:
        batched = Context().batch(function)
        batched.compiled_for(*programs.inputs(function, 1)).machine(stackless=False)  # type: ignore[arg-type]

    def one() -> Sample:
        return Sample(1e3 * statistics.mean(seconds(lambda f=f: compiled(f)) for f in functions))

    yield one


CASE = Case(
    name="autobatch_compile",
    what="source to program, four programs' mean",
    unit="ms",
    beside="10 ms",
    goal_text="at most 10 ms",
    rounds=rounds,
    limit=10.0,
    needs={"numpy": "numpy>=2.2"},
)
