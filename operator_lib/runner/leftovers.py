"""Nothing outlives its run: finding and killing what a process has left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
# Of 1000: how much sooner than others a process is killed when there is no memory left.
FIRST = 500


def adopt_orphans() -> None:
    """Descendants whose parent ends become children of this process (Linux), however often they fork or setsid."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Be killed when the parent ends (Linux). Only sound under a parent with one thread: it is about that thread."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def go_first() -> None:
    """When the machine itself runs out of memory, the kernel is to kill this process rather than the worker (Linux)."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "r+") as file:
        score = int(file.read())
        file.seek(0)
        file.write(str(max(score, FIRST)))


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def children(pid: int) -> list[int]:
    """Direct children of a process."""
    if sys.platform == "linux":
        found: list[int] = []
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{task}/children") as file:
                    found += [int(word) for word in file.read().split()]
        return found
    listed = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True).stdout
    pairs = (line.split() for line in listed.splitlines())
    return [int(child) for child, parent in pairs if int(parent) == pid]


def descendants(pid: int) -> list[int]:
    """All processes below `pid`."""
    found: list[int] = []
    for child in children(pid):
        found.append(child)
        found += descendants(child)
    return found


def kill_tree(pid: int) -> None:
    """SIGKILL to `pid`, its process group and everything below it."""
    for victim in [pid, *descendants(pid)]:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(victim, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def sweep(child: int) -> None:
    """After `child` has ended: kill what it left, until nothing is there. Bounded to two seconds."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    end = time.monotonic() + 2.0
    while time.monotonic() < end:
        left = descendants(os.getpid())
        if not left:
            return
        for victim in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(victim, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.002)
