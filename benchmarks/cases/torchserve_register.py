"""From the request that registers an archive to its answer: every node has started."""

from __future__ import annotations

from benchmarks.case import seconds
from benchmarks.torchserve import Server, beside


def register(server: Server, quick: bool) -> float:
    """Seconds; the workflow goes again."""
    taken = seconds(lambda: server.register("chain"))
    server.remove("chain")
    return taken


WHAT = "registering a workflow of four nodes"
CASE = beside("torchserve_register", WHAT, "s", ("at most 1/3 ×", 1 / 3), register)
