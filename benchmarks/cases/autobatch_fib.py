"""Recursion on NumPy: lanes meet again in the program counter."""

from __future__ import annotations

from benchmarks.case import Case
from benchmarks.peers.batches import beside_loop

CASE = Case(
    name="autobatch_fib",
    what="Fibonacci, 10,000 examples, NumPy",
    unit="ms",
    beside="plain Python loop",
    goal_text="at least 1.5 × faster",
    goal=1 / 1.5,
    rounds=beside_loop("fib", "program_counter", 10_000),
    needs={"numpy": "numpy>=2.2"},
)
