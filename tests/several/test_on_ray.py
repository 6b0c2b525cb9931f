"""Workers that share a database and a Ray cluster: what one of them had there goes on under another."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import shared_jobs as jobs
from workers import owners, told, until

from operator_lib import Operator

NODES = Path(__file__).parents[1] / "executors" / "nodes.py"


@pytest.fixture
def ray_address(nothing_is_left, tmp_path, monkeypatch) -> Iterator[str]:
    """Of a cluster of two nodes with three processors each."""
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    command = [sys.executable, str(NODES), "2", "3"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["address"]
        process.communicate()


@pytest.mark.large
@pytest.mark.timeout(300)
def test_one_that_is_killed_is_replaced(ray_address, cluster, tmp_path):
    options = "--executor", f"ray:{ray_address}", "--max-runs"
    a, b = cluster.start(*options, "2"), cluster.start(*options, "6")
    out, release = tmp_path / "out", tmp_path / "release"
    job = jobs.counted.deploy("counted", address=a.address, token=cluster.token)
    runs = [job.submit(str(out), f"r{n}", str(release)) for n in range(6)]
    until(lambda: len(told(out)) == 6, 120)
    assert sorted(owners(cluster.url).values()) == [2, 4]
    a.kill()
    until(lambda: len(told(out)) == 8, 120)
    starts = [line.split()[1] for line in told(out)]
    assert sorted(starts.count(f"r{n}") for n in range(6)) == [1, 1, 1, 1, 2, 2]
    release.touch()
    there = Operator.from_job("counted", address=b.address, token=cluster.token)
    seen = {run.id: run for run in there.runs(limit=10)}
    assert [seen[run.id].result(60) for run in runs] == [f"r{n}" for n in range(6)]
    assert sorted(run.attempts for run in seen.values()) == [1, 1, 1, 1, 2, 2]
    until(lambda: sum(line.startswith("done") for line in told(out)) == 6)
