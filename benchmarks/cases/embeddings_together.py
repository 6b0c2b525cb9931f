"""Batches of a sentence-embedding model, beside those of LitServe."""

from __future__ import annotations

from functools import partial

from benchmarks import embeddings
from benchmarks.case import Case
from benchmarks.peers.separate import LITSERVE_EMBEDDINGS

CASE = Case(
    name="embeddings_together",
    what="sentence embeddings over HTTP, 32 callers",
    unit="calls/s",
    beside="LitServe, batches of 64",
    goal_text="at least 1 ×",
    goal=1.0,
    better="higher",
    rounds=partial(embeddings.rounds, server="together"),
    needs=embeddings.NEEDS,
    peer=LITSERVE_EMBEDDINGS,
)
