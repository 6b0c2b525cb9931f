"""A workflow of two models and two functions, each after another, one caller over HTTP: beside TorchServe."""

from __future__ import annotations

import statistics

from benchmarks.torchserve import Server, beside


def median(server: Server, quick: bool) -> float:
    """Of a number of requests, not of a time: where one hangs, it counts."""
    return 1e3 * statistics.median(server.load("chain", 1, each=20 if quick else 300).taken)


WHAT = "workflow of four nodes over HTTP, p50, 1 caller"
CASE = beside("torchserve_latency", WHAT, "ms", ("at most 0.5 ×", 0.5), median, workflow="chain")
