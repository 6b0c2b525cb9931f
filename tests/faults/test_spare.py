"""The process that waits for the next run: it is used, it may be killed, and it does not stay for ever."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import fault_jobs as jobs
import psutil
import pytest
from crash import gone, parent, told, until

WITH_SHORT_TIMES = "from operator_lib.runner import zygote; zygote.CALM, zygote.LONG = 0.01, 0.3; zygote.main()"


def spare(home) -> tuple[int, int]:
    """The pids of a shim and its child that have nothing to do."""
    idle = until(lambda: _pair(set(home.processes()) - set(home.busy())), 5, "there is no spare")
    shim, child = idle if parent(idle[1]) == idle[0] else reversed(idle)
    assert parent(child) == shim
    return shim, child


def _pair(idle: set[int]) -> list[int] | None:
    return sorted(idle) if len(idle) == 2 else None


def test_the_process_that_waits_carries_out_the_next_run(worker, tmp_path):
    waits = jobs.waits.deploy()
    first = spare(worker)
    run = waits.submit(str(tmp_path / "pid"), 0.2)
    pid = int(told(tmp_path / "pid")[0])
    assert (parent(pid), pid) == first
    second = spare(worker)
    assert not set(first) & set(second)
    assert run.result(20) == "rested"
    assert spare(worker) == second


@pytest.mark.parametrize("which", ["shim", "child"])
def test_a_spare_that_was_killed_costs_nothing(worker, tmp_path, which):
    add = jobs.add.deploy()
    shim, child = spare(worker)
    os.kill(shim if which == "shim" else child, signal.SIGKILL)
    gone(child)
    run = add.submit(1, 2)
    assert run.result(20) == 3
    assert run.attempts == 1


def test_a_spare_that_nobody_needs_is_let_go(tmp_path: Path):
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-P", "-c", WITH_SHORT_TIMES, str(theirs.fileno())]
    with ours, subprocess.Popen(command, pass_fds=[theirs.fileno()]) as zygote:
        theirs.close()
        assert ours.recv(16) == b"ready\n"
        children = psutil.Process(zygote.pid).children
        until(lambda: len(children(recursive=True)) == 2)
        until(lambda: not children(recursive=True))
        there, report = socket.socketpair()
        with there, report:
            socket.send_fds(ours, [f"{tmp_path}/no-such-spec\n".encode()], [report.fileno()])
            report.close()
            assert there.recv(16) == b"", "whoever asked hears of it"
        until(lambda: len(children(recursive=True)) == 2)
        ours.close()
        assert zygote.wait(10) == 0
