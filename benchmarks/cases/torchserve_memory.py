"""What all processes hold when a workflow of eight models is there, each in a process of its own."""

from __future__ import annotations

from benchmarks.torchserve import Server, beside


def held(server: Server, quick: bool) -> float:
    """After some requests."""
    server.load("eight", 1, each=5)
    return server.memory()


WHAT = "memory with a workflow of eight nodes"
CASE = beside("torchserve_memory", WHAT, "MB", ("at most 1/3 ×", 1 / 3), held, workflow="eight")
