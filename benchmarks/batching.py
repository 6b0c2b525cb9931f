"""The same model in ours and in a peer, requests collected into batches on either side: calls a second over HTTP."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from functools import partial
from pathlib import Path

from benchmarks import project, workers
from benchmarks.case import Case, Round, alternate
from benchmarks.http_load import load
from benchmarks.peers import product
from benchmarks.peers.separate import Peer

CALLERS = 32
SOURCE = (
    Path(product.__file__).read_text()
    + """

from operator_lib import Batch, operator

@operator(deployment_type="serving", batch=Batch(MOST))
class Predict:
    def __init__(self):
        self.product = Product()

    def __call__(self, x: list[int]) -> list[float]:
        return self.product.of(x)
"""
)
BODY = '{"x": 21}'


def case(name: str, peer: Peer, body: str = BODY) -> Case:
    """The case beside `peer`, which understands `body`."""

    @contextlib.contextmanager
    def rounds(quick: bool) -> Generator[Round]:
        length = 0.2 if quick else 2.0
        with workers.local() as worker, project.module(SOURCE) as user, peer.running() as ask:
            remote = user.Predict.deploy("predict")
            port = int(worker.url.rpartition(":")[2])
            ours = partial(load, port, "/v1/servings/predict", BODY, token=remote.token)
            theirs = partial(load, int(ask("port")), "/predict", body)
            yield alternate(
                lambda: ours(callers=CALLERS, length=length).per_second,
                lambda: theirs(callers=CALLERS, length=length).per_second,
            )

    return Case(
        name=name,
        what="batches of a 1×1,024 by 1,024×1,024 product, HTTP, 32 callers",
        unit="calls/s",
        beside=peer.title,
        goal_text="at least 5 ×",
        goal=5.0,
        better="higher",
        rounds=rounds,
        needs={"numpy": "numpy>=2"},
        peer=peer,
    )
