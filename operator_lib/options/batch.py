"""How requests are collected before `forward` sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from operator_lib.options.checks import Bad, integer, number, settle, show

LARGEST = 100_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Collect calls: `forward` gets a list and returns a list of the same length.

    Attributes:
        max_size: calls in one batch at most, 1 to 100000.
        max_delay_ms: how long, in milliseconds, the first call of a batch may wait for others.

    Raises:
        OptionError: a value is of the wrong type or out of range.
    """

    max_size: int
    max_delay_ms: float = 50.0

    def __post_init__(self) -> None:
        settle("Batch", self, CHECKS)


def as_batch(value: Any) -> Batch:
    """The check of the option `batch`: a `Batch`, or just its largest size."""
    if isinstance(value, Batch):
        return value
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
        raise Bad(f"must be an int between 1 and {LARGEST} or Batch(...), got {show(value)}")
    return Batch(int(value))


CHECKS = {"max_size": integer(1, LARGEST), "max_delay_ms": number(0.0, 3_600_000.0)}
