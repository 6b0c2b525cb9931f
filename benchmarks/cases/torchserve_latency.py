"""A workflow of two models and two functions, each after another, one caller over HTTP: beside TorchServe."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Generator

from benchmarks.case import Case, Round, alternate
from benchmarks.peers.separate import TORCHSERVE
from benchmarks.torchserve import Server, servers


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    length = 0.3 if quick else 3.0
    with servers() as (ours, peer):
        for server in (ours, peer):
            server.register("chain")

        def median(server: Server) -> float:
            return 1e3 * statistics.median(server.load("chain", 1, length=length).taken)

        yield alternate(lambda: median(ours), lambda: median(peer))


CASE = Case(
    name="torchserve_latency",
    what="workflow of four nodes over HTTP, p50, 1 caller",
    unit="ms",
    beside="TorchServe",
    goal_text="at most 0.5 ×",
    goal=0.5,
    rounds=rounds,
    peer=TORCHSERVE,
    group="load",
)
