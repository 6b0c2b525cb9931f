"""A loop on NumPy: lanes that are done leave."""

from __future__ import annotations

from benchmarks.case import Case
from benchmarks.peers.batches import beside_loop

CASE = Case(
    name="autobatch_newton",
    what="Newton's root, 10,000 examples, NumPy",
    unit="ms",
    beside="plain Python loop",
    goal_text="at least 8 × faster",
    goal=1 / 8,
    rounds=beside_loop("newton", "program_counter", 10_000),
    needs={"numpy": "numpy>=2.2"},
)
