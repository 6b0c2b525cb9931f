"""Keeps a process to its limits of memory and disk, by looking: the more often, the nearer it is to one of them.

Where the machine has control groups the kernel keeps memory to its limit, and this only notices. Elsewhere looking is
all there is. An address space limit (``RLIMIT_AS``) would not do: it counts what is reserved, and numerical libraries
reserve far more than they use; and a file size limit (``RLIMIT_FSIZE``) would hold for files outside the folders too.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from operator_lib.engine.process import ProcessSpec
from operator_lib.executors import groups
from operator_lib.runner import leftovers, measure

# Bytes a second that a process is taken to fill memory, or a disk, with.
FILLING = 4 << 30
WRITING = 2 << 30
# Seconds between two looks: at least, at most, and times what a look takes.
LEAST, MOST, SHARE = 0.004, 0.1, 10


@dataclass(slots=True)
class Limit:
    """One thing that is limited."""

    name: str
    allowed: int
    speed: int
    """Bytes a second by which it may grow."""
    used: Callable[[list[int]], int]
    """Of these processes."""
    due: float = 0.0

    def exceeded(self, pids: list[int], now: float) -> bool:
        left = self.allowed - self.used(pids)
        after = time.monotonic()
        self.due = after + max(LEAST, SHARE * (after - now), min(MOST, left / self.speed))
        return left < 0


class Guard:
    """The limits of one process and everything below it."""

    def __init__(self, spec: ProcessSpec) -> None:
        self._groups = spec.groups
        self.limits: list[Limit] = []
        if spec.memory:
            self.limits.append(
                Limit("memory", spec.memory, FILLING, lambda pids: measure.memory(pids, enough=spec.memory))
            )
        if spec.disk:
            folders = [os.path.join(spec.folder, name) for name in ("tmp", "work")]
            self.limits.append(Limit("disk", spec.disk, WRITING, lambda pids: measure.disk(folders, pids)))

    @property
    def due(self) -> float | None:
        """Moment of the next look; None when nothing is limited."""
        return min((limit.due for limit in self.limits), default=None)

    def look(self) -> Limit | None:
        """The limit that is exceeded, if any; looks at what is due."""
        now = time.monotonic()
        if not any(limit.due <= now for limit in self.limits):
            return None
        pids = leftovers.descendants(os.getpid())
        for limit in self.limits:
            if limit.due <= now and (limit.exceeded(pids, now) or (limit.name == "memory" and self.refused())):
                return limit
        return None

    def refused(self) -> bool:
        """The kernel has killed a process for its memory."""
        return any(groups.kills(folder) for folder in self._groups)

    def kept(self) -> Limit | None:
        """The limit of memory, if the kernel has killed for it."""
        return next((limit for limit in self.limits if limit.name == "memory"), None) if self.refused() else None
