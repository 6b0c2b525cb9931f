"""What a replica takes of the memory, with the process that watches over it, beside a bare interpreter."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

from benchmarks import project, workers
from benchmarks.case import Case, Round, Sample
from benchmarks.load import megabytes

SOURCE = """
from operator_lib import Operator

class Empty(Operator):
    def forward(self):
        return None
"""
BARE = "import cloudpickle, grpc, sys; print(flush=True); sys.stdin.read()"


def parent(pid: int) -> int:
    """Of a process."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    """All resident pages count, those too that are shared with other replicas."""
    with workers.local(), project.module(SOURCE) as user, contextlib.ExitStack() as stack:
        remote = user.Empty().deploy("empty", "serving")
        remote()
        replica = remote.serving.stats()["replicas"][0]["pid"]
        bare = subprocess.Popen([sys.executable, "-c", BARE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        stack.enter_context(bare)
        assert bare.stdout is not None
        bare.stdout.readline()
        yield lambda: Sample(megabytes(replica) + megabytes(parent(replica)), megabytes(bare.pid))


CASE = Case(
    name="replica_memory",
    what="memory of an idle replica of an empty operator, with its shim",
    unit="MB",
    beside="bare interpreter with cloudpickle and grpc",
    goal_text="at most 40 MB more",
    limit=40.0,
    rounds=rounds,
)
