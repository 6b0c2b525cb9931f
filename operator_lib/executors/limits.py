"""How this machine holds processes to what they may use, and how much it has."""

from __future__ import annotations

import heapq
import math
import os
import shutil
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from operator_lib.engine.process import ProcessSpec, size
from operator_lib.executors import groups
from operator_lib.options import Options, of_process

# What numerical libraries read the number of their threads from: by themselves they count the machine's cores.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
# What is done where no control group can be made.
MEASURED = "measured many times a second, and the run killed when it is over"
SET_APART = "kept to so many cores" if sys.platform == "linux" else "only told to numerical libraries"


class Means:
    """By what `cpu` and `memory` are enforced here: control groups where we may make them.

    Elsewhere memory is measured by the shim that watches over the process, and processors are set apart by affinity:
    a process is kept on as many cores as it may use, rounded up, those with the fewest of our processes.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self.groups = groups.Groups("")
        self._busy: Counter[int] = Counter()

    def prepare(self, alone: bool = True) -> None:
        """Find out, and remove what an earlier worker of this home has left, unless another one is there."""
        self.groups = groups.find(self._home, settle=True)
        if alone:
            self.groups.clear()

    def hold(self, spec: ProcessSpec) -> ProcessSpec:
        """What its process must be told, to be kept to its limits. Give it to `let_go` when the process is gone."""
        if spec.cpu is None and not spec.memory:
            return spec
        made = self.groups.make(spec.id, cpu=spec.cpu, memory=spec.memory)
        cores: tuple[int, ...] = ()
        if spec.cpu is not None and not self._limits_cpu(made) and sys.platform == "linux":
            count = math.ceil(spec.cpu)
            cores = tuple(heapq.nsmallest(count, os.sched_getaffinity(0), key=lambda core: self._busy[core]))
            self._busy.update(cores)
        return replace(spec, groups=made, cores=cores)

    def _limits_cpu(self, made: tuple[str, ...]) -> bool:
        parent = self.groups.parents.get("cpu")
        return parent is not None and any(Path(folder).parent == parent.folder for folder in made)

    def let_go(self, spec: ProcessSpec) -> None:
        """Its process is gone."""
        self._busy.subtract(spec.cores)
        for folder in spec.groups:  # where the shim could not
            groups.remove(folder, 0)


def allowance(options: Options) -> dict[str, Any]:
    """What a process may use, as fields of its `ProcessSpec`."""
    return {
        "cpu": options.cpu,
        "memory": int((options.memory or 0) * 2**30),
        "disk": int((options.ephemeral_disk or 0) * 2**30),
        "resources": of_process(options),
    }


def threads(options: Options) -> dict[str, str]:
    """Variables by which numerical libraries make no more threads than there are processors for."""
    return {} if options.cpu is None else dict.fromkeys(THREADS, str(math.ceil(options.cpu)))


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is at all, for the processes of a worker."""

    cpu: int
    memory: int
    """Bytes."""
    disk: int
    """Bytes, of the file system with the home."""

    def lacks(self, options: Options) -> list[str]:
        """Which options ask for more than there is, in words."""
        found: list[str] = []
        if options.cpu is not None and options.cpu > self.cpu:
            found.append(f"cpu: asks for {options.cpu:g}, this worker has {self.cpu}")
        for name, asked, there in (
            ("memory", options.memory, self.memory),
            ("ephemeral_disk", options.ephemeral_disk, self.disk),
        ):
            if asked is not None and asked * 2**30 > there:
                found.append(f"{name}: asks for {size(int(asked * 2**30))}, this worker has {size(there)}")
        return found


def machine(home: Path) -> Machine:
    """What this machine, or the container that we are in, has."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(cores, min(memory, groups.memory_limit() or memory), shutil.disk_usage(home).total)
