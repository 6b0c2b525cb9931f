"""Shares of what was seen, so that a later value falls between them as often as they say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Band:
    """What one of ten is below, half, and nine of ten; seconds, or a number."""

    p10: float
    p50: float
    p90: float


def band(values: Sequence[float]) -> Band | None:
    """None without values."""
    if not values:
        return None
    found = sorted(values)
    return Band(quantile(found, 0.1), quantile(found, 0.5), quantile(found, 0.9))


def quantile(found: Sequence[float], share: float) -> float:
    """Of sorted values, the one at ``share * (n + 1)`` (Weibull's plotting position; type 6 of Hyndman and Fan, Sample
    Quantiles in Statistical Packages, 1996): the next value is below it with this chance, whatever they are
    distributed like. Without enough values for that, the least or the largest.
    """
    place = share * (len(found) + 1) - 1
    if place <= 0:
        return found[0]
    if place >= len(found) - 1:
        return found[-1]
    low = math.floor(place)
    return found[low] + (found[low + 1] - found[low]) * (place - low)
