"""When a cron expression is due, in a time zone, over changes of its clock.

A time that the clock skips is due at the next moment there is; a time that it shows twice is due the first time.
Expressions for every hour (``* * * * *``, ``30 * * * *``) go by the time that passes instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
FIELDS = "minute hour day month weekday"
LONGEST = 200
EVERY_HOUR = re.compile(r"\*(/1)?")


class Cron:
    """A checked expression.

    Raises:
        ValueError: the expression or the zone is none, or no day will ever fit.
    """

    def __init__(self, text: str, zone: str) -> None:
        self._zone = _zone(zone)
        self._expression = _expression(text)
        try:
            next(self._from(0.0))
        except CronSimError as problem:
            raise ValueError(f"cron expression {text!r}: {str(problem).lower()}; the fields are: {FIELDS}") from None
        except StopIteration:
            raise ValueError(f"cron expression {text!r}: no day will ever fit") from None

    def after(self, moment: float) -> float | None:
        """The first time due after `moment` (both seconds since the epoch), None when there is none."""
        return next(self._from(moment), None)

    def last(self, after: float, until: float) -> float | None:
        """The last time due after `after` and not after `until`."""
        found = None
        for due in self._from(after):
            if due > until:
                break
            found = due
        return found

    def _from(self, moment: float) -> Iterator[float]:
        for found in CronSim(self._expression, datetime.fromtimestamp(moment, self._zone)):
            # Of an hour that comes twice the first one is meant, which may have been.
            if (due := found.timestamp()) > moment:
                moment = due
                yield due


@lru_cache(1024)
def parse(text: str, zone: str) -> Cron:
    """`Cron`, remembered."""
    return Cron(text, zone)


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"there is no time zone {name[:80]!r}; give its IANA name, such as UTC or Europe/Berlin"
        ) from None


def _expression(text: str) -> str:
    parts = ALIASES.get(text.strip().lower(), text).split()
    if len(parts) != 5 or len(text) > LONGEST:
        raise ValueError(
            f"cron expression {text[:LONGEST]!r}: must have five fields ({FIELDS}) or be one of {', '.join(ALIASES)}"
        )
    if not EVERY_HOUR.fullmatch(parts[1]):
        # Said as ranges, cronsim reads hours and minutes off the clock on the wall.
        parts[:2] = _ranges(parts[0], "0-59"), _ranges(parts[1], "0-23")
    return " ".join(parts)


def _ranges(field: str, all_of_it: str) -> str:
    return re.sub(r"(^|,)\*", rf"\g<1>{all_of_it}", field)
