"""Lists as tables: results of `map`, runs, versions, schedules."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from html import escape
from typing import Any, cast

from operator_lib.notebook import html

_FIRST, _LAST = 20, 5  # rows that are shown of a long list
_COLUMNS = 12


def results(values: Sequence[Any]) -> str:
    """What came of each input; records have a column for each field, failures are marked."""
    failed = sum(isinstance(value, BaseException) for value in values)
    said = f"{len(values)} result{'' if len(values) == 1 else 's'}" + (f", {failed} failed" if failed else "")
    names = _fields(values)
    rows: list[list[str]] = []
    for index, value in _some(values):
        if index is None:
            rows.append(["⋮", *[""] * max(1, len(names))])
        elif isinstance(value, BaseException):
            rows.append([str(index), html.bad(_short(value)), *[""] * (len(names) - 1)])
        else:
            record = _record(value) if names else None
            cells = [value] if record is None else [record.get(name, "") for name in names]
            rows.append([str(index), *[_cell(cell) for cell in cells], *[""] * (len(names) - len(cells))])
    return html.table(["", *(names or ["result"])], rows) + html.quiet(said)


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


def _fields(values: Sequence[Any]) -> list[str]:
    """The columns, when all results that are shown are records; else none."""
    names: dict[str, None] = {}
    for index, value in _some(values):
        if index is None or isinstance(value, BaseException):
            continue
        record = _record(value)
        if record is None:
            return []
        names.update(dict.fromkeys(record))
    return list(names) if len(names) <= _COLUMNS else []


def _record(value: Any) -> dict[str, Any] | None:
    if isinstance(value, dict):
        record = cast("dict[Any, Any]", value)
        return record if record and all(isinstance(key, str) for key in record) else None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.repr}
    return None


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return escape(html.clipped(value))
    if isinstance(value, float):
        return escape(f"{value:.6g}")
    return html.mono(_short(value)) if not isinstance(value, (bool, int)) else str(value)


def _short(value: Any) -> str:
    try:
        return html.clipped(repr(value))
    except Exception as error:  # an object of the user's
        return f"<{type(value).__name__}: its repr raised {type(error).__name__}>"
