"""1,000 requests that fail, to a workflow on a worker of ours: threads, processes, memory, before and after."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Generator
from pathlib import Path

from benchmarks import load
from benchmarks.case import Round, Sample
from benchmarks.torchserve import Server, ours, pack


def held(server: Server) -> dict[str, float]:
    return {"threads": server.threads(), "processes": len(server.processes()), "MB": server.memory()}


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    each = 25 if quick else 250
    with tempfile.TemporaryDirectory(prefix="operator-lib-benchmark-") as home:
        pack(Path(home))
        with ours(Path(home)) as server:
            server.register("failing")

            def one() -> Sample:
                before = held(server)
                failed = server.load("failing", 4, each=each).failed
                assert failed == 4 * each, f"{failed} of {4 * each} requests failed"
                after = held(server)
                print(", ".join(f"{before[name]:.0f} -> {after[name]:.0f} {name}" for name in before), flush=True)
                return Sample(max(after[name] / before[name] for name in before))

            yield one


WHAT = "threads, processes, memory after 1,000 failing requests, the most grown"
CASE = load.case("torchserve_failures", WHAT, "×", 1.05, rounds)
