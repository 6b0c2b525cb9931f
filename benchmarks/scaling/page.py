"""The tables of the page about scaling."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.scaling.costs import CALLERS, Costs
from benchmarks.scaling.database import Keeping
from benchmarks.scaling.model import Found, Rates, Work
from benchmarks.scaling.plan import FULL, most

BEGIN, END = "<!-- figures: written by python -m benchmarks.scaling --write-docs -->", "<!-- end of figures -->"


def text(
    machine: Mapping[str, str], costs: Costs, kept: Mapping[str, Keeping], rates: Rates, found: list[Found]
) -> str:
    """Both tables, and where they were taken."""
    store = list(kept)[-1]
    place = f"{machine['cpu']}, {machine['cores']} cores, {machine['os']}, {machine['python']}"
    return "\n\n".join([
        _table(["one unit of", "costs", "of"], _measured(costs, kept)),
        f"{place}; load before {machine['load']}.",
        f"One worker and one {store} database carry {most(Work(1, 1, 1, 60.0), rates):,.0f} runs a second of a minute "
        f"each, when they are {FULL:.0%} busy. With as many as it takes:",
        _table(
            ["machines", "length of a run", "runs a second", "workers", "databases", "wait for a start, p50", "p99"],
            [_size(one) for one in found],
        ),
    ])  # fmt: skip


def write(page: Path, tables: str) -> None:
    """Replace what stands between the marks.

    Raises:
        SystemExit: there are no marks.
    """
    before, found, rest = page.read_text().partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        raise SystemExit(f"{page} needs these two lines around the place for the tables:\n{BEGIN}\n{END}")
    page.write_text(f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}")


def _measured(costs: Costs, kept: Mapping[str, Keeping]) -> list[list[str]]:
    worker = "a worker's core"
    rows = [
        ["run taken into the queue", _time(costs.accept), worker],
        ["run started and ended", _time(costs.carry), worker],
        ["second of a run that goes on", _time(costs.going), worker],
        ["line of log", _time(costs.line), worker],
        ["the same, with a follower", _time(costs.followed), worker],
        ["second of a replica without calls", _time(costs.replica), worker],
        ["call over HTTP", _time(costs.proxied), worker],
        ["call over gRPC, of many", _time(costs.direct), "the caller's core; the worker has no part in it"],
        ["empty run", _time(costs.machine), "the machine's cores"],
        ["replica without calls", f"{costs.replica_memory / 1e6:.1f} MB", "the machine's memory"],
    ]
    for name, each in kept.items():
        rows.append([f"transaction of one row, {name}", _time(each.commit), "waiting until it is durable"])
        rows.append([f"each further row, {name}", _time(each.row), "the database"])
    rows.append([f"second with {CALLERS} clients that submit", f"{costs.accepted:,.0f} runs", "one worker, SQLite"])
    return rows


def _size(found: Found) -> list[str]:
    work = found.work
    counts = f"{work.machines:,}", _length(work.length), f"{work.offered:,.1f}", f"{work.workers:,}"
    return [*counts, f"{work.databases:,}", _time(found.p50), _time(found.p99)]


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _length(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.0f} min"


def _time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{1e3 * seconds:.1f} ms" if seconds >= 1e-3 else f"{1e6 * seconds:.1f} µs"
