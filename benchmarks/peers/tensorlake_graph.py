"""Graphs of no-ops in Tensorlake's local runner. Run by the Python of its environment.

Reads lines ``chain N`` or ``fan N`` and answers each with the seconds that a request of N function calls took.
"""

# pyright: basic, reportMissingImports=false, reportFunctionMemberAccess=false

from __future__ import annotations

import os
import sys
import time

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what it prints is no answer

from tensorlake.applications import application, function, run_local_application  # noqa: E402


@function()
def same(x: int) -> int:
    return x


@function()
def total(values: list[int]) -> int:
    return sum(values)


@application()
@function()
def chain(nodes: int) -> int:
    x = 1
    for _ in range(nodes - 1):
        x = same(x)
    return x


@application()
@function()
def fan(nodes: int) -> int:
    return total(same.map(range(nodes - 2)))


for line in sys.stdin:
    shape, count = line.split()
    begun = time.perf_counter()
    found = run_local_application({"chain": chain, "fan": fan}[shape], int(count)).output()
    taken = time.perf_counter() - begun
    assert found == (1 if shape == "chain" else sum(range(int(count) - 2)))
    print(taken, file=answers, flush=True)
