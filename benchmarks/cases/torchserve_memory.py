"""What all processes hold when a workflow of eight models is there, each in a process of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from benchmarks.case import Case, Round, Sample
from benchmarks.peers.separate import TORCHSERVE
from benchmarks.torchserve import servers


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    with servers() as (ours, peer):
        for server in (ours, peer):
            server.register("eight")
            server.load("eight", 1, each=5)
        yield lambda: Sample(ours.memory(), peer.memory())


CASE = Case(
    name="torchserve_memory",
    what="memory with a workflow of eight nodes",
    unit="MB",
    beside="TorchServe",
    goal_text="at most 1/3 ×",
    goal=1 / 3,
    rounds=rounds,
    peer=TORCHSERVE,
    group="load",
)
