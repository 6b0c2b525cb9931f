"""A workflow with six branches that wait 0.2 s each, beside the same with one of them; both on a worker of ours."""

from __future__ import annotations

import contextlib
import statistics
import tempfile
from collections.abc import Generator
from pathlib import Path

from benchmarks.case import Case, Round, alternate
from benchmarks.torchserve import ours, pack


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    with tempfile.TemporaryDirectory(prefix="operator-lib-benchmark-") as home:
        pack(Path(home))
        with ours(Path(home)) as server:
            for name in ("fan", "branch"):
                server.register(name)

            def median(name: str) -> float:
                return 1e3 * statistics.median(server.load(name, 1, each=1 if quick else 5).taken)

            yield alternate(lambda: median("fan"), lambda: median("branch"))


CASE = Case(
    name="torchserve_fan",
    what="workflow with six branches of 0.2 s",
    unit="ms",
    beside="one branch",
    goal_text="at most 1.2 ×",
    goal=1.2,
    rounds=rounds,
    group="load",
)
