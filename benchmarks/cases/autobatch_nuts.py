"""A No-U-Turn sampler written for one chain, beside one unrolled by hand for all of them."""

from __future__ import annotations

from benchmarks.case import Case
from benchmarks.peers.batches import beside_unrolled

CASE = Case(
    name="autobatch_nuts",
    what="NUTS, a logistic regression (500 points), 64 chains",
    unit="ms",
    beside="unrolled by hand, NumPy",
    goal_text="at most 2 × its time",
    goal=2.0,
    rounds=beside_unrolled("Regression", 64),
    needs={"numpy": "numpy>=2.2"},
)
