"""What a worker does not have is refused when it is asked for, and what it cannot do is too."""

from __future__ import annotations

import os

import greedy
import pytest

from operator_lib.errors import DeployError

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
MEMORY = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(CORES >= 8, reason="this machine has as many processors as can be asked for")
def test_more_processors_than_there_are(worker):
    with pytest.raises(DeployError, match=f"large.cpu: asks for 8, this worker has {CORES}"):
        greedy.takes.deploy("large", cpu=8)


@pytest.mark.skipif(MEMORY >= 32 << 30, reason="this machine has as much memory as can be asked for")
def test_more_memory_than_there_is(worker):
    with pytest.raises(DeployError, match=r"large.memory: asks for 32 GiB, this worker has [\d.]+ GiB"):
        greedy.takes.deploy("large", memory=32)


@pytest.mark.skipif(CORES >= 8, reason="this machine has as many processors as can be asked for")
def test_a_plan_says_so_too(worker):
    plan = greedy.takes.deploy("large", cpu=8, dry_run=True)
    assert any("cpu: asks for 8" in problem for problem in plan.problems)


def test_cards_that_are_not_there(worker):
    with pytest.raises(DeployError, match=r"seer.gpu: asks for NONESUCH:2 or OTHER, this worker has "):
        greedy.sees.deploy("seer", gpu=["NONESUCH:2", "OTHER"])
