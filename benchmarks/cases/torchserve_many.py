"""The same from 32 connections: requests a second."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from benchmarks.case import Case, Round, alternate
from benchmarks.peers.separate import TORCHSERVE
from benchmarks.torchserve import servers


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    length = 0.3 if quick else 5.0
    with servers() as (ours, peer):
        for server in (ours, peer):
            server.register("chain")
        yield alternate(
            lambda: ours.load("chain", 32, length=length).per_second,
            lambda: peer.load("chain", 32, length=length).per_second,
        )


CASE = Case(
    name="torchserve_many",
    what="workflow of four nodes over HTTP, 32 callers",
    unit="requests/s",
    beside="TorchServe",
    goal_text="at least 3 ×",
    goal=3.0,
    better="higher",
    rounds=rounds,
    peer=TORCHSERVE,
    group="load",
)
