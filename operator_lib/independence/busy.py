"""How long threads wanted a processor: the time on one and, where it can be known, the time waiting for one.

On a machine with much to do a thread that computes gets little; that does not make it one that waits.
"""

from __future__ import annotations

import os
import time

_TASKS = "/proc/self/task"
_KNOWN = os.path.exists("/proc/thread-self/schedstat")


def of_thread() -> float:
    """Seconds that this thread has wanted a processor so far."""
    return _wanted("/proc/thread-self/schedstat") if _KNOWN else time.thread_time()


def of_process() -> float:
    """Seconds that all threads of this process have wanted one so far."""
    if not _KNOWN:
        return time.process_time()
    try:
        return sum(_wanted(f"{_TASKS}/{task}/schedstat") for task in os.listdir(_TASKS))
    except OSError:
        return time.process_time()


def _wanted(file: str) -> float:
    try:
        with open(file, "rb") as stat:
            running, waiting, _ = stat.read().split()
    except (OSError, ValueError):  # the thread has ended meanwhile
        return 0.0
    return (int(running) + int(waiting)) / 1e9
