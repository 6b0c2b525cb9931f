"""kill -9 of the worker at its first, second ... flush to the disk: wherever it dies, no run is lost or doubled."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import fault_jobs as jobs
import pytest
from crash import Home, alive, read_lines, reap, until

# A run is flushed when it is accepted, when it starts, when it is over; what comes after is not about it any more.
STEPS = range(1, 6)

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("strace") is None, reason="strace kills the worker at the flush"
)


@contextlib.contextmanager
def killed_at(home: Home, step: int) -> Iterator[int]:
    """The worker's pid; it is killed as it enters that flush, counted from here."""
    pid = home.pid
    calls = "fdatasync,fsync"
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}"]
    command += ["-e", f"inject={calls}:signal=SIGKILL:when={step}", "-p", str(pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as tracer:
        try:
            until(lambda: tracer.poll() is not None or traced(pid), 10, "strace is attached")
            if tracer.poll() is not None:
                assert tracer.stderr is not None
                pytest.skip(f"strace cannot attach here: {tracer.stderr.read().decode()}")
            yield pid
        finally:
            tracer.kill()  # asked to end, it may wait for what it traces


def traced(pid: int) -> bool:
    """Whether every thread of a process has its tracer."""
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/status") as file:
                if "TracerPid:\t0\n" in file.read():
                    return False
    return True


@pytest.mark.parametrize("step", STEPS)
def test_a_run_ends_and_is_there_once(worker, tmp_path, step):
    counted = jobs.counted.deploy("counted")
    effects = tmp_path / "effects"
    with ThreadPoolExecutor(1) as pool, killed_at(worker, step) as pid:
        asked = pool.submit(counted.job.trigger, str(effects), "a", idempotency_key="the one")
        until(lambda: not alive(pid) or (asked.done() and asked.result().done()), 20)
        with contextlib.suppress(ProcessLookupError):  # it has needed fewer flushes than that
            os.kill(pid, signal.SIGKILL)
        reap(pid)
        until(lambda: not worker.processes(), 4, "what the dead worker left")
        worker.start()
        run = asked.result(20)  # who was cut off while asking has asked the next worker
    assert run.result(20) == "a"
    assert counted.job.trigger(str(effects), "a", idempotency_key="the one").id == run.id
    assert [known.id for known in counted.runs()] == [run.id]
    statuses = [event["status"] for event in run.events() if event["kind"] == "status"]
    assert statuses.count("COMPLETED") == 1
    assert statuses[-1] == "COMPLETED"
    assert run.attempts <= 2
    assert 1 <= read_lines(effects).count("done a") <= run.attempts
