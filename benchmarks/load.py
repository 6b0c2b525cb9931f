"""What the cases under load share. A round that loses something fails: it is no figure."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.case import Better, Case

# Waiting for what has to happen gives up after this many seconds.
PATIENCE = 60.0


def until(condition: Callable[[], object], about: str, pause: float = 0.005) -> None:
    """Return once `condition` holds.

    Raises:
        TimeoutError: it did not.
    """
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {PATIENCE:g} s: {about}")
        time.sleep(pause)


def p99(values: Sequence[float]) -> float:
    """The value that one in a hundred is above."""
    return statistics.quantiles(values, n=100)[-1]


def megabytes(pid: int) -> float:
    """What a process holds of the memory."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def case(
    name: str,
    what: str,
    unit: str,
    limit: float,
    rounds: Callable[..., object],
    better: Better = "lower",
    most: int | None = None,
) -> Case:
    """A case of the group ``load`` that is held against a limit."""
    word = "at most" if better == "lower" else "at least"
    return Case(
        name=name, what=what, unit=unit, beside="limit", goal_text=f"{word} {limit:,g} {unit}", limit=limit,
        better=better, rounds=rounds, most=most, group="load",  # type: ignore[arg-type]
    )  # fmt: skip
