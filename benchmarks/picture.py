"""The report as a picture: how many times as good as its peer or limit each figure is, on a log scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.results import Report, Row
from benchmarks.table import number

MET, MISSED, INK, FAINT = "#4c78a8", "#e07b39", "#222222", "#8a8a8a"
FORMATS = ("svg", "png")


def draw(report: Report, folder: Path) -> list[Path]:
    """Write ``results.svg`` and ``results.png`` to `folder`.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    rows = [row for row in report.rows if row.status == "measured"][::-1]
    if not rows:
        return []
    style: Any = {"font.size": 9, "font.family": "DejaVu Sans", "svg.fonttype": "none", "svg.hashsalt": "operator_lib"}
    with mpl.rc_context(style):
        figure = Figure(figsize=(8.4, 1.1 + 0.46 * len(rows)), layout="constrained")
        axes: Any = figure.subplots()
        _scale(axes, rows)
        for place, row in enumerate(rows):
            _bar(axes, place, row)
        written = [folder / f"results.{kind}" for kind in FORMATS]
        for path in written:
            figure.savefig(path, dpi=160, metadata={"Date": None} if path.suffix == ".svg" else None)
    return written


def advantage(row: Row, ratio: float) -> float:
    """A ratio as "times as good": over 1 is better than the peer or the limit, whichever way the unit counts."""
    return ratio if row.better == "higher" else 1 / max(ratio, 1e-3)


def _scale(axes: Any, rows: list[Row]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    reach = [advantage(row, x) for row in rows for x in (*row.ratios, row.goal)] + [1.0]
    axes.set_xscale("log")
    axes.set_xlim(min(reach) / 1.5, max(reach) * 2.2)  # to the right, room for the label of the longest bar
    wide = max(reach) / min(reach) > 200
    axes.xaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5), numticks=12))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}×"))
    axes.set_xlabel("times as good as the peer or limit\n(log scale; longer to the right is better)", color=INK)
    axes.set_yticks(range(len(rows)), [f"{row.what}\n{_held_to(row)}" for row in rows], fontsize=8)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", color=FAINT)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.axvline(1, color=INK, linewidth=0.8)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.plot([], [], color=INK, linewidth=2, label="goal")
    axes.plot([], [], color=MET, linewidth=6, label="goal met")
    axes.plot([], [], color=MISSED, linewidth=6, label="goal missed")
    axes.plot([], [], color=FAINT, linewidth=1, label="range over the rounds")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, frameon=False, fontsize=8, handlelength=1.4)


def _held_to(row: Row) -> str:
    if row.limit is None:
        return f"beside {row.beside}"
    return f"limit {row.limit:g} {row.unit}" + (f" over {row.beside}" if row.peer else "")


def _bar(axes: Any, place: int, row: Row) -> None:
    found = sorted(advantage(row, x) for x in row.ratios)
    value, goal = advantage(row, row.ratio), advantage(row, row.goal)
    axes.barh(place, value - 1, left=1, height=0.5, color=MET if row.met else MISSED)
    axes.hlines(place, found[0], found[-1], color=FAINT, linewidth=1)
    axes.vlines(goal, place - 0.36, place + 0.36, color=INK, linewidth=2)
    # Beside the bar's own end, and clear of the goal's tick and of the range.
    end = max(value, found[-1], 1.0)
    if end * 0.9 < goal < end * 2:
        end = goal
    axes.text(end * 1.06, place, f"{number(value)}×", va="center", color=INK, fontsize=8)
