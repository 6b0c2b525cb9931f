"""Dynamic batching, beside BentoML."""

from benchmarks.batching import case
from benchmarks.peers.separate import BENTOML_BATCH

CASE = case("batch_bentoml", BENTOML_BATCH, '{"xs": [21]}')
