"""A graph of 1,000 no-ops one after another, beside Tensorlake's local runner, which keeps nothing, nor do we."""

from __future__ import annotations

from benchmarks.graphs import case
from benchmarks.peers.separate import TENSORLAKE

CASE = case("graph_chain_tensorlake", "chain", TENSORLAKE, 100, deployed=False)
