"""60 requests from each of four connections to the workflow of four nodes: the slowest one."""

from __future__ import annotations

from benchmarks.torchserve import STALLED, Server, beside


def slowest(server: Server, quick: bool) -> float:
    """Milliseconds."""
    return 1e3 * max(server.load("chain", 4, each=5 if quick else 60).taken)


WHAT = "the slowest of 4 x 60 requests to a workflow"
LIMIT = 1e3 * STALLED
CASE = beside("torchserve_stalls", WHAT, "ms", ("at most 1,000 ms", 1.0), slowest, workflow="chain", limit=LIMIT)
