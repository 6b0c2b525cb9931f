"""How long calls took, counted in steps of about a fifth: small enough to send, fine enough for percentiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil, log2

# Steps to each doubling of the time. Step n > 0 begins at 2 ** ((n - 1) / STEPS) microseconds.
STEPS = 4
LAST = STEPS * 40
"""Nothing takes longer than this step (12 days)."""


def step(seconds: float) -> int:
    """Which step so much time falls into."""
    micros = seconds * 1e6
    return 0 if micros < 1.0 else min(LAST, int(STEPS * log2(micros)) + 1)


def end(number: int) -> float:
    """Seconds below which everything of that step is.

    >>> end(0), end(4 * 10)
    (1e-06, 0.001024)
    """
    return 2.0 ** (number / STEPS) / 1e6


def percentile(counts: Mapping[int, int], share: float) -> float:
    """Seconds within which that share of all calls was answered, right to a fifth; 0 without calls.

    >>> counts = {step(0.001): 98, step(1.0): 2}
    >>> round(percentile(counts, 0.5), 4), round(percentile(counts, 0.99), 1)
    (0.0009, 1.0)
    """
    left = ceil(share * sum(counts.values()))
    for number in sorted(counts):
        left -= counts[number]
        if left <= 0:
            return (end(number - 1) + end(number)) / 2 if number else end(0)
    return 0.0


def at_most(counts: Mapping[int, int], bounds: Iterable[int]) -> list[int]:
    """How many are in each of these steps or in one before."""
    return [sum(count for number, count in counts.items() if number <= bound) for bound in bounds]
