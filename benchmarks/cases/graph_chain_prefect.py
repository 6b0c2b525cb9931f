"""A graph of 1,000 no-ops one after another, beside Prefect with a server of its own: both keep what every node did."""

from __future__ import annotations

from benchmarks.graphs import case
from benchmarks.peers.separate import PREFECT

CASE = case("graph_chain_prefect", "chain", PREFECT, 1_000, deployed=True)
