"""How often, and how soon, a failed call is made again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from operator_lib.options.checks import Bad, integer, number, settle, show

MAX_RETRIES = 10_000
LONGEST_DELAY = 172_800.0


@dataclass(frozen=True, slots=True)
class Retries:
    """A retry policy. At most ``1 + max_retries`` executions; no wait after the last one.

    Attributes:
        max_retries: further executions after the first, 0 to 10000.
        initial_delay, max_delay: seconds before the first retry, and the longest wait, 0 to 172800.
        delay_multiplier: each wait is this many times the one before, up to `max_delay`.
        jitter: share of the wait, 0 to 1, by which it is shortened at random.
        retry_on: the exception types that are worth another try.

    Raises:
        OptionError: a value is of the wrong type or out of range.

    >>> [Retries(4, initial_delay=1, max_delay=5).delay(k) for k in (1, 2, 3, 4)]
    [1.0, 2.0, 4.0, 5.0]
    """

    max_retries: int = 0
    initial_delay: float = 1.0
    max_delay: float = 60.0
    delay_multiplier: float = 2.0
    jitter: float = 0.0
    retry_on: tuple[type[BaseException], ...] = (Exception,)

    def __post_init__(self) -> None:
        settle("Retries", self, CHECKS)

    def delay(self, retry: int, random: Callable[[], float] | None = None) -> float:
        """Seconds to wait before the given retry (the first is 1). `random` gives numbers in [0, 1)."""
        try:
            wait = min(self.initial_delay * self.delay_multiplier ** (retry - 1), self.max_delay)
        except OverflowError:
            wait = self.max_delay if self.initial_delay else 0.0
        if not self.jitter:
            return wait
        if random is None:
            from random import SystemRandom  # what a program has seeded goes on as if there had been no retry

            random = SystemRandom().random
        return wait * (1.0 - self.jitter * random())


def _exception_types(value: Any) -> tuple[type[BaseException], ...]:
    types = value if isinstance(value, (tuple, list)) else (value,)
    if not all(isinstance(item, type) and issubclass(item, BaseException) for item in types):
        raise Bad(f"must be exception types, got {show(value)}")
    return tuple(types)


def as_retries(value: Any) -> Retries:
    """The check of the option `retries`: a policy, or just how many."""
    if isinstance(value, Retries):
        return value
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_RETRIES:
        raise Bad(f"must be an int between 0 and {MAX_RETRIES} or Retries(...), got {show(value)}")
    return Retries(int(value))


CHECKS = {
    "max_retries": integer(0, MAX_RETRIES),
    "initial_delay": number(0.0, LONGEST_DELAY),
    "max_delay": number(0.0, LONGEST_DELAY),
    "delay_multiplier": number(0.0, 1_000_000.0),
    "jitter": number(0.0, 1.0),
    "retry_on": _exception_types,
}
