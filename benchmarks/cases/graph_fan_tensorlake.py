"""A graph of 1,000 no-ops side by side, beside Tensorlake's local runner, which keeps nothing, nor do we."""

from __future__ import annotations

from benchmarks.graphs import case
from benchmarks.peers.separate import TENSORLAKE

CASE = case("graph_fan_tensorlake", "fan", TENSORLAKE, 100, deployed=False)
