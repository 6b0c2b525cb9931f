"""Programs with loops, branches and recursion over sizes of batches, in every way that there is; tables."""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.lanes import page
from benchmarks.lanes.shape import shapes
from benchmarks.lanes.ways import PROGRAMS, SIZES, WAYS, Run
from benchmarks.machine import machine
from benchmarks.peers import lanes
from benchmarks.peers.separate import TFP
from benchmarks.runner import ROOT

KEPT = ROOT / "benchmarks" / "out" / "lanes.json"
# What TensorFlow Probability offers; sizes above are minutes a call.
TFP_MODES = {"numpy": 100, "numpy-stackless": 10_000, "graph": 10_000, "xla": 10_000}
# Calls before it counts: what tries tries then, what compiles compiles.
WARM = 8
ROUNDS = 5
# Seconds for the rounds of one way.
PATIENCE = 0.3


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lanes", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that it works, measures nothing")
    parser.add_argument("--write-docs", action="store_true", help="put the last results into the documentation")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "guides" / "autobatch-speed.md")
    chosen = parser.parse_args()
    if chosen.write_docs:
        page.write(json.loads(KEPT.read_text()), chosen.page)
        return 0
    sizes = SIZES[:2] if chosen.quick else SIZES
    found = machine()
    report: dict[str, Any] = {
        "machine": found,
        "versions": _versions(),
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "sizes": sizes,
        "seconds": {function.__name__: _program(function, sizes) for function in PROGRAMS},
        "shapes": shapes(seconds=0.2 if chosen.quick else 1.0),
    }
    report["seconds"]["fib"] |= _tfp(sizes)
    print(page.tables(report))
    if not chosen.quick:
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        KEPT.write_text(json.dumps(report, indent=1))
    return 0


def _program(function: Callable[..., Any], sizes: tuple[int, ...]) -> dict[str, dict[int, float]]:
    """Seconds for a batch, by way and size; the ways take turns, the best of the rounds counts."""
    found: dict[str, dict[int, float]] = {}
    for size in sizes:
        print(f"{function.__name__}, {size} examples", file=sys.stderr)
        columns = lanes.inputs(function, size)
        expected = lanes.plain(function, columns)
        runs = {way.name: made for way in WAYS if not way.missing() and (made := way.make(function)) is not None}
        for name, run in runs.items():
            for _ in range(WARM):
                same = np.allclose(run(*columns), expected)
                if not same:
                    raise RuntimeError(f"{name} is wrong for {function.__name__}, {size} examples")
        for _ in range(ROUNDS):
            for name, run in runs.items():
                known = found.setdefault(name, {})
                known[size] = min(known.get(size, float("inf")), _once(run, columns))
    return found


def _once(run: Run, columns: Any) -> float:
    """Seconds a call; of several, where one is too short to be timed."""
    started = time.perf_counter()
    run(*columns)
    first = time.perf_counter() - started
    times = max(1, min(1000, int(PATIENCE / ROUNDS / max(first, 1e-7) / 10)))
    started = time.perf_counter()
    for _ in range(times):
        run(*columns)
    return (time.perf_counter() - started) / times


def _tfp(sizes: tuple[int, ...]) -> dict[str, dict[int, float]]:
    if TFP.missing():
        return {}
    found: dict[str, dict[int, float]] = {}
    for mode, most in TFP_MODES.items():
        with TFP.running() as ask:
            found[f"TFP, {mode}"] = {size: ask(f"{mode} {size}") for size in sizes if size <= most}
    return found


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in ("operator_lib", "numpy", "numba", "jax"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    if version := TFP.version():
        found[TFP.name] = version
    return found


if __name__ == "__main__":
    raise SystemExit(main())
