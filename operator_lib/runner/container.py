"""The first process of a container: a shim whose worker is outside, at the other end of a socket in its folder.

Started as ``python -m operator_lib.runner.container FOLDER``. When it ends, so does all in the container.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from operator_lib.engine.process import SPEC, ProcessSpec
from operator_lib.executors.docker import leash
from operator_lib.runner import handed, leftovers
from operator_lib.runner.shim import Shim
from operator_lib.runner.waiting import Waiting

# What the container was started with for us; the rest of its environment is the image's.
OURS = ("GRPC_ENABLE_FORK_SUPPORT", "HOSTNAME", "HOME")
# Where the kernel counts whom it has killed for memory, in versions 1 and 2 of control groups.
COUNTED = ("/sys/fs/cgroup/memory/memory.oom_control", "/sys/fs/cgroup/memory.events")


class ContainerShim(Shim):
    """Its group is the container's own: the engine made it, and removes it."""

    def let_go(self) -> None:
        pass


def main() -> None:
    folder = Path(sys.argv[1])
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    leftovers.adopt_orphans()
    child = Waiting()
    channel = leash.connect(folder)
    spec = fitted(ProcessSpec.read(folder / SPEC))
    ContainerShim(handed.complete(spec, channel), channel, child).work()


def fitted(spec: ProcessSpec) -> ProcessSpec:
    """The spec with what only shows inside: the variables of the image, and the container's control group."""
    image = {name: value for name, value in os.environ.items() if name not in OURS}
    groups = tuple(os.path.dirname(file) for file in COUNTED if os.path.exists(file))[:1]
    return replace(spec, env={"HOME": f"{spec.folder}/tmp", **image, **spec.env}, groups=groups)


if __name__ == "__main__":
    main()
