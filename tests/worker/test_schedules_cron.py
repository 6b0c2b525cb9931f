"""When a cron expression is due, over changes of the clock, checked against a walk over every minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operator_lib.worker.cron import Cron

BERLIN = ZoneInfo("Europe/Berlin")


def due(text: str, zone: str, start: datetime, count: int) -> list[str]:
    cron, moment, found = Cron(text, zone), start.timestamp(), []
    for _ in range(count):
        moment = cron.after(moment)
        found.append(datetime.fromtimestamp(moment, ZoneInfo(zone)).strftime("%d %H:%M %z"))
    return found


# On 29 March 2026 the clock of Berlin goes from 2:00 to 3:00, on 25 October from 3:00 back to 2:00.
SPRING = datetime(2026, 3, 28, 12, tzinfo=BERLIN)
AUTUMN = datetime(2026, 10, 24, 12, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("text", "start", "expected"),
    [
        # A time that does not exist: once, at the next moment there is.
        ("30 2 * * *", SPRING, ["29 03:00 +0200", "30 02:30 +0200"]),
        ("*/15 2 * * *", SPRING, ["29 03:00 +0200", "30 02:00 +0200", "30 02:15 +0200"]),
        ("30 2,3 * * *", SPRING, ["29 03:00 +0200", "29 03:30 +0200", "30 02:30 +0200"]),
        ("0 2,3 * * *", SPRING, ["29 03:00 +0200", "30 02:00 +0200"]),
        # A time that is shown twice: once, the first time.
        ("30 2 * * *", AUTUMN, ["25 02:30 +0200", "26 02:30 +0100"]),
        ("*/30 2 * * *", AUTUMN, ["25 02:00 +0200", "25 02:30 +0200", "26 02:00 +0100"]),
        ("0 1-3 * * *", AUTUMN, ["25 01:00 +0200", "25 02:00 +0200", "25 03:00 +0100"]),
        # Every hour goes by the time that passes.
        ("0 * * * *", AUTUMN + timedelta(hours=13), ["25 02:00 +0200", "25 02:00 +0100", "25 03:00 +0100"]),
        ("0 * * * *", SPRING + timedelta(hours=13), ["29 03:00 +0200", "29 04:00 +0200"]),
        ("@daily", SPRING, ["29 00:00 +0100", "30 00:00 +0200"]),
    ],
)
def test_changes_of_the_clock(text, start, expected):
    assert due(text, "Europe/Berlin", start, len(expected)) == expected


def test_a_start_in_the_second_of_two_equal_hours_does_not_go_back():
    second = datetime(2026, 10, 25, 2, 10, tzinfo=BERLIN, fold=1)
    assert due("30 2 * * *", "Europe/Berlin", second, 1) == ["26 02:30 +0100"]


@given(
    minute=st.sampled_from(["*", "0", "30", "*/7", "5,59", "10-12"]),
    hour=st.sampled_from(["*", "2", "*/5", "0,23"]),
    day=st.sampled_from(["*", "1", "28-31", "L"]),
    weekday=st.sampled_from(["*", "MON", "0", "6,7"]),
    start=st.integers(1_700_000_000, 1_900_000_000),
)
@settings(max_examples=60)
def test_in_utc_it_is_the_first_minute_that_fits(minute, hour, day, weekday, start):
    found = Cron(f"{minute} {hour} {day} * {weekday}", "UTC").after(start)
    moment = start - start % 60 + 60
    while not fits(datetime.fromtimestamp(moment, UTC), minute, hour, day, weekday):
        moment += 60
    assert found == moment


def fits(moment: datetime, minute: str, hour: str, day: str, weekday: str) -> bool:
    last = (moment + timedelta(days=1)).month != moment.month
    by_day = day == "*" or (last if day == "L" else moment.day in numbers(day, 31))
    by_weekday = weekday == "*" or moment.isoweekday() % 7 in {
        n % 7 for n in ([1] if weekday == "MON" else numbers(weekday, 7))
    }
    days = by_day and by_weekday if "*" in (day, weekday) else by_day or by_weekday
    return moment.minute in numbers(minute, 59) and moment.hour in numbers(hour, 23) and days


def numbers(field: str, most: int) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        low, _, high = ("0", "-", str(most)) if span == "*" else span.partition("-")
        found |= set(range(int(low), int(high or low) + 1, int(step or 1)))
    return found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "five fields"),
        ("* * * *", "five fields"),
        ("* * * * * *", "five fields"),
        ("@reboot", "five fields"),
        ("60 * * * *", "bad minute"),
        ("* 24 * * *", "bad hour"),
        ("0 0 31 2 *", "bad day"),
        ("x * * * *", "bad minute"),
        ("* * * * *" + " " * 300, "five fields"),
    ],
)
def test_what_is_no_expression(text, words):
    with pytest.raises(ValueError, match=words):
        Cron(text, "UTC")


@pytest.mark.parametrize("zone", ["", "Mars", "../../etc/passwd", "x" * 5000, "Europe", "UTC+1"])
def test_what_is_no_time_zone(zone):
    with pytest.raises(ValueError, match="no time zone"):
        Cron("* * * * *", zone)
