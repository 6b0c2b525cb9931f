"""Lists as tables: runs, versions, schedules."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from operator_lib.notebook import html

_FIRST, _LAST = 20, 5  # rows that are shown of a long list


def runs(found: Sequence[Any]) -> str:
    """Runs, as they came."""
    rows: list[list[str]] = []
    for index, run in _some(found):
        if index is None:
            rows.append(["⋮", "", "", ""])
            continue
        seen = run._seen
        took = html.lasted(seen.ended - seen.started) if seen.started and seen.ended else ""
        words = escape(html.clipped(seen.cause.partition("\n")[0], 160))
        rows.append([html.mono(run.id), html.badge(run.status), html.when(seen.created), took, words])
    return html.table(["run", "", "created", "took", ""], rows)


def versions(found: Sequence[Any]) -> str:
    """Versions of a deployment."""
    rows = [
        [
            str(each["number"]),
            html.badge("live") if each["live"] else html.quiet(each["status"]),
            html.when(each["created"]),
            html.mono(each["fingerprint"][:12]),
            escape(each["message"]),
        ]
        for each in found
    ]
    return html.table(["version", "", "created", "fingerprint", ""], rows)


def schedules(found: Sequence[Any]) -> str:
    """Schedules of a job."""
    rows = [
        [
            html.mono(each.cron),
            escape(each.timezone),
            html.quiet("paused") if each.paused else html.when(each.next),
            html.when(each.last),
            escape(each.note),
        ]
        for each in found
    ]
    return html.table(["schedule", "clock of", "next", "last", ""], rows)


def _some(values: Sequence[Any]) -> list[tuple[int | None, Any]]:
    """The rows to show with their number; None stands for those between."""
    if len(values) <= _FIRST + _LAST + 1:
        return list(enumerate(values))
    last = len(values) - _LAST
    return [*enumerate(values[:_FIRST]), (None, None), *enumerate(values[last:], last)]
