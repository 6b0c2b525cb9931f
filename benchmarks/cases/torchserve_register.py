"""From the request that registers an archive to its answer: every node has started."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from benchmarks.case import Case, Round, alternate, seconds
from benchmarks.peers.separate import TORCHSERVE
from benchmarks.torchserve import Server, servers


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    with servers() as (ours, peer):

        def register(server: Server) -> float:
            taken = seconds(lambda: server.register("chain"))
            server.remove("chain")
            return taken

        yield alternate(lambda: register(ours), lambda: register(peer))


CASE = Case(
    name="torchserve_register",
    what="registering a workflow of four nodes",
    unit="s",
    beside="TorchServe",
    goal_text="at most 1/3 ×",
    goal=1 / 3,
    rounds=rounds,
    peer=TORCHSERVE,
    group="load",
)
