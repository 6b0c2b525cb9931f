"""Graphs of no-ops in Prefect, with the server that it starts for itself. Run by the Python of its environment.

Reads lines ``chain N`` or ``fan N`` and answers each with the seconds that a flow of N tasks took.
"""

# pyright: basic, reportMissingImports=false, reportFunctionMemberAccess=false

from __future__ import annotations

import os
import sys
import time

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what it prints is no answer
os.environ.update({
    "PREFECT_HOME": os.path.join(os.environ["HOME"], "prefect"), "PREFECT_LOGGING_LEVEL": "ERROR",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # a busy machine needs more than the default
})  # fmt: skip

from prefect import flow, task  # noqa: E402  # settings are read when it is imported


@task
def same(x: int) -> int:
    return x


@task
def total(values: list[int]) -> int:
    return sum(values)


@flow
def chain(nodes: int) -> int:
    x = 1
    for _ in range(nodes):
        x = same(x)
    return x


@flow
def fan(nodes: int) -> int:
    return total(same.map(range(nodes - 1)))


for line in sys.stdin:
    shape, count = line.split()
    begun = time.perf_counter()
    found = {"chain": chain, "fan": fan}[shape](int(count))
    taken = time.perf_counter() - begun
    assert found == (1 if shape == "chain" else sum(range(int(count) - 1)))
    print(taken, file=answers, flush=True)
