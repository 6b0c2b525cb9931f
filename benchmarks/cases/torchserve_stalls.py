"""60 requests from each of four connections to the workflow of four nodes: the slowest one."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from benchmarks.case import Case, Round, alternate
from benchmarks.peers.separate import TORCHSERVE
from benchmarks.torchserve import STALLED, Server, servers


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    each = 5 if quick else 60
    with servers() as (ours, peer):
        for server in (ours, peer):
            server.register("chain")

        def slowest(server: Server) -> float:
            return 1e3 * max(server.load("chain", 4, each=each).taken)

        yield alternate(lambda: slowest(ours), lambda: slowest(peer))


CASE = Case(
    name="torchserve_stalls",
    what="the slowest of 4 x 60 requests to a workflow",
    unit="ms",
    beside="TorchServe",
    goal_text="at most 1,000 ms",
    goal=1.0,
    limit=1e3 * STALLED,
    rounds=rounds,
    peer=TORCHSERVE,
    group="load",
)
