"""Finding processes by a mark in the environment that they were started with: what is left of a worker or of a run."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

from operator_lib.endpoint import OF

# Names the home of the worker that a process belongs to, whatever it is.
HOME = OF
# Names the run or replica, in programs that the user's code starts.
RUN = "OPERATOR_LIB_RUN"


def marked(name: str, value: str) -> list[int]:
    """Processes that were started with ``name=value`` in their environment, as far as it can be read."""
    wanted = f"{name}={value}".encode()
    if sys.platform != "linux":
        return _listed(wanted)
    found: list[int] = []
    for entry in os.listdir("/proc"):
        if entry.isdecimal() and int(entry) != os.getpid():
            with contextlib.suppress(OSError), open(f"/proc/{entry}/environ", "rb") as file:
                if wanted in file.read().split(b"\0"):
                    found.append(int(entry))
    return found


def _listed(wanted: bytes) -> list[int]:
    shown = subprocess.run(["ps", "-axwwE", "-o", "pid=,command="], capture_output=True).stdout
    lines = (line.strip().split(b" ") for line in shown.splitlines())
    return [int(words[0]) for words in lines if wanted in words and int(words[0]) != os.getpid()]


def kill_marked(name: str, value: str) -> int:
    """SIGKILL to all of them, until there are no more; how many that were."""
    killed: set[int] = set()
    for _ in range(20):  # they may be forking
        left = [pid for pid in marked(name, value) if pid not in killed]
        if not left:
            break
        for pid in left:
            killed.add(pid)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
    return len(killed)
