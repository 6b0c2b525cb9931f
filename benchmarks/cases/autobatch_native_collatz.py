"""A loop as machine code."""

from __future__ import annotations

from benchmarks.case import Case
from benchmarks.peers.batches import beside_loop

CASE = Case(
    name="autobatch_native_collatz",
    what="Collatz, 10,000 examples, native",
    unit="ms",
    beside="plain Python loop",
    goal_text="at least 40 × faster",
    goal=1 / 40,
    rounds=beside_loop("collatz", "native", 10_000),
    needs={"numba": "numba>=0.61"},
)
