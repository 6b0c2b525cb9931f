"""The private folders of a process: limited, and gone afterwards."""

from __future__ import annotations

import contextlib
import glob
import os
import time
from pathlib import Path

import greedy
import pytest

from operator_lib import worker as workers
from operator_lib.errors import WorkerDied

LIMIT = {"disk_size": "32Mi"}


@pytest.mark.parametrize("how", ["named", "unnamed", "many", "current"])
def test_too_much_is_killed(worker, how):
    run = greedy.writes.deploy("writes", resource=LIMIT).submit(4000, how)
    with pytest.raises(WorkerDied, match=r"killed: out of disk \(limit 32 MiB\)"):
        run.result(30)
    assert run.status == "FAILED"
    until_empty(worker)


@pytest.mark.parametrize("how", ["named", "unnamed", "many", "current"])
def test_below_the_limit_nothing_happens(worker, how):
    folder = greedy.writes.deploy("writes", resource=LIMIT)(20, how)
    assert Path(folder).is_relative_to(worker.home)


def test_other_folders_do_not_count(worker, tmp_path):
    assert greedy.writes_elsewhere.deploy("elsewhere", resource=LIMIT)(str(tmp_path / "large"), 80) == "written"


def test_the_folder_is_gone_when_the_run_has_ended(worker):
    run = greedy.writes.deploy("writes", resource=LIMIT).submit(8)
    folder = Path(run.result(30))
    assert folder.name == "tmp"
    until_empty(worker)


def test_and_when_the_worker_was_killed(tmp_path):
    """The run is over; what it had written is gone."""
    with workers.local(tmp_path / "home") as started:
        job = greedy.writes.with_options(at_most_once=True).deploy("writes", resource=LIMIT)
        job.submit(8, "named", str(tmp_path / "started"), str(tmp_path / "never"))
        greedy.wait_for(tmp_path / "started")
        assert room(started) >= 8 << 20
        os.kill(started.pid, 9)
    with workers.local(tmp_path / "home") as started:
        until_empty(started)


def room(worker) -> int:
    """Bytes in the private folders of runs."""
    total = 0
    for pattern in ("runs/*/*/tmp/**/*", "runs/*/*/work/whole"):
        # Unlike `Path.glob` it passes over folders that are removed meanwhile.
        for path in glob.iglob(pattern, root_dir=worker.home, recursive=True, include_hidden=True):
            with contextlib.suppress(FileNotFoundError):
                total += (Path(worker.home) / path).stat().st_size
    return total


def until_empty(worker) -> None:
    """A run has ended a moment before its folders are gone."""
    end = time.monotonic() + 10
    while room(worker):
        assert time.monotonic() < end, f"{room(worker)} bytes are left"
        time.sleep(0.01)
