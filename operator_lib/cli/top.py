"""``top``: servings and runs as they are now, again and again on a terminal, once elsewhere."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from operator_lib.cli import output
from operator_lib.cli.flags import Address, Json, Token, connect

if TYPE_CHECKING:
    from rich.console import Group

    from operator_lib.client.connect import Connection

SERVINGS = ("SERVING", "STATUS", "REPLICAS", "CALLS/S", "ERRORS", "P50 MS", "P99 MS", "RUNNING", "WAITING", "MEMORY")
RUNS = ("RUN", "JOB", "STATUS", "SINCE")
# Runs that are shown, those that go on first.
MOST = 15


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.command()(top)


def top(
    interval: Annotated[float, typer.Option("--interval", min=0.2, help="Seconds between two looks.")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Look once, as when the output is no terminal.")] = False,
    address: Address = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Show what servings and runs are doing. Calls a second, times, load and memory; Ctrl-C ends it."""
    connection = connect(address, token)
    before = look(connection)
    if as_json:
        output.document(before)
    elif once or not sys.stdout.isatty():
        for headers, rows in tables(before, None):
            output.table(headers, rows)
    else:
        _live(connection, before, interval)


def look(connection: Connection) -> dict[str, Any]:
    """What there is: ``servings`` by name as `ServingManager.stats` tells them, ``runs`` that wait or go on."""
    from operator_lib.client import inventory
    from operator_lib.client.manage import ServingManager
    from operator_lib.errors import NotFound

    servings: dict[str, Any] = {}
    for info in inventory.deployments(connection):
        if info.kind == "serving":
            try:
                servings[info.name] = ServingManager(connection, info.name).stats()
            except NotFound:  # deleted just now
                continue
    runs = [
        asdict(run)
        for status in ("RUNNING", "PENDING")
        for run in inventory.runs(connection, "", status=status, limit=MOST)
    ]
    return {"time": time.time(), "servings": servings, "runs": runs[:MOST]}


Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def tables(now: dict[str, Any], before: dict[str, Any] | None) -> list[Table]:
    """Rows for people; calls a second since `before`, or else since the replicas started."""
    servings = [_serving(name, stats, now["time"], before) for name, stats in now["servings"].items()]
    runs = [(run["id"], run["job"], run["status"], output.ago(run["started"] or run["created"])) for run in now["runs"]]
    return [(SERVINGS, servings), (RUNS, runs)]


def _serving(name: str, stats: dict[str, Any], now: float, before: dict[str, Any] | None) -> tuple[str, ...]:
    if before is not None and name in before["servings"]:
        calls, seconds = stats["calls"] - before["servings"][name]["calls"], now - before["time"]
    else:
        started = min((replica["started"] for replica in stats["replicas"]), default=now)
        calls, seconds = stats["calls"], now - started
    ready = sum(replica["status"] == "ready" for replica in stats["replicas"])
    rate = max(0.0, calls / seconds) if seconds > 0 else 0.0
    return (
        name, stats["status"], f"{ready}/{stats['wanted']}", f"{rate:,.1f}", str(stats["errors"]),
        f"{stats['p50_ms']:.3g}", f"{stats['p99_ms']:.3g}", str(stats["running"]), str(stats["waiting"]),
        f"{stats['memory'] / (1 << 20):,.0f} MiB",
    )  # fmt: skip


def _live(connection: Connection, before: dict[str, Any], interval: float) -> None:
    from rich.console import Console
    from rich.live import Live

    with Live(_picture(before, None), console=Console(highlight=False), screen=True) as live:
        while True:
            time.sleep(interval)
            now = look(connection)
            live.update(_picture(now, before), refresh=True)
            before = now


def _picture(now: dict[str, Any], before: dict[str, Any] | None) -> Group:
    from rich.console import Group
    from rich.table import Table as Rows

    found: list[Any] = []
    for headers, rows in tables(now, before):
        shown = Rows(*headers, box=None, header_style="bold")
        for row in rows:
            shown.add_row(*row)
        found.append(shown)
    return Group(*found)
