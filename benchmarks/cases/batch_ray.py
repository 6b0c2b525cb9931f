"""Dynamic batching, beside Ray Serve."""

from benchmarks.batching import case
from benchmarks.peers.separate import RAY_BATCH

CASE = case("batch_ray", RAY_BATCH)
