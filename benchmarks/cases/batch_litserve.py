"""Dynamic batching, beside LitServe."""

from benchmarks.batching import case
from benchmarks.peers.separate import LITSERVE_BATCH

CASE = case("batch_litserve", LITSERVE_BATCH)
