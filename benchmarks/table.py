"""The report as a table: in a terminal, and as Markdown."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from benchmarks.results import Report, Row

HEADINGS = ("what", "operator_lib", "beside", "ratio", "goal", "met")


def number(value: float) -> str:
    """Three significant digits, and no exponent."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}"


def cells(row: Row) -> tuple[str, ...]:
    """One row, in the order of `HEADINGS`."""
    if row.status != "measured":
        return row.what, row.status, row.beside, "", row.goal_text, row.note
    ours = f"{number(row.figure)} {row.unit}"
    if row.limit is None:
        beside = f"{number(row.reference)} {row.unit}: {row.beside}"
    elif row.peer:
        ours, beside = f"{ours} more", f"{number(row.reference)} {row.unit}: {row.beside}"
    else:
        beside = row.beside
    ratio = f"{number(row.ratio)} ×" + ("" if row.limit is None else " limit")
    return row.what, ours, beside, ratio, row.goal_text, "yes" if row.met else "no"


def caption(report: Report) -> str:
    """Where, when, with what."""
    at = report.machine
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    quick = " Quick sizes: the figures mean nothing." if report.quick else ""
    return (
        f"{at['cpu']}, {at['cores']} cores, {at['os']}, {at['python']}; {versions}. {report.taken}, "
        f"{report.rounds} rounds, load before {at['load']}.{quick}"
    )


def show(report: Report, console: Console) -> None:
    """Print it."""
    table = Table(*HEADINGS, caption=caption(report), caption_justify="left")
    styles = {"yes": "green", "no": "red"}
    for row in report.rows:
        found = cells(row)
        table.add_row(*found[:-1], f"[{styles.get(found[-1], 'yellow')}]{_plain(found[-1])}[/]")
    console.print(table)


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


def markdown(report: Report) -> str:
    """The table and its caption."""
    lines = [f"| {' | '.join(HEADINGS)} |", "|---|---|---|---|---|---|"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells(row))} |" for row in report.rows]
    return "\n".join([*lines, "", caption(report)])
