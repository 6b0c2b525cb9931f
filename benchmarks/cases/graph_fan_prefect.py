"""A graph of 1,000 no-ops side by side, beside Prefect with a server of its own: both keep what every node did."""

from __future__ import annotations

from benchmarks.graphs import case
from benchmarks.peers.separate import PREFECT

CASE = case("graph_fan_prefect", "fan", PREFECT, 250, deployed=True)
