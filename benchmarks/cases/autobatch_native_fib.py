"""Recursion as machine code."""

from __future__ import annotations

from benchmarks.case import Case
from benchmarks.peers.batches import beside_loop

CASE = Case(
    name="autobatch_native_fib",
    what="Fibonacci, 10,000 examples, native",
    unit="ms",
    beside="plain Python loop",
    goal_text="at least 20 × faster",
    goal=1 / 20,
    rounds=beside_loop("fib", "native", 10_000),
    needs={"numba": "numba>=0.61"},
)
