"""Batches of a sentence-embedding model, beside LitServe without any."""

from __future__ import annotations

from functools import partial

from benchmarks import embeddings
from benchmarks.case import Case
from benchmarks.peers.separate import LITSERVE_EMBEDDINGS

CASE = Case(
    name="embeddings_alone",
    what="sentence embeddings over HTTP, 32 callers",
    unit="calls/s",
    beside="LitServe, no batches",
    goal_text="at least 3 ×",
    goal=3.0,
    better="higher",
    rounds=partial(embeddings.rounds, server="alone"),
    needs=embeddings.NEEDS,
    peer=LITSERVE_EMBEDDINGS,
)
