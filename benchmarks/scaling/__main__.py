"""``python -m benchmarks.scaling``: measures the costs here, simulates up to 10,000 machines, prints both as tables."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

from benchmarks.machine import machine
from benchmarks.peers.postgres import Server
from benchmarks.runner import ROOT
from benchmarks.scaling import costs, database, page, plan


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--postgres", action="store_true", help="start a server, measure it beside SQLite, simulate it")
    parser.add_argument("--scale", type=float, default=1.0, help="of the amounts of work that are measured")
    parser.add_argument("--runs", type=int, default=20_000, help="runs of each simulation")
    parser.add_argument("--write-docs", type=Path, nargs="?", const=ROOT / "docs" / "scaling.md", metavar="PAGE")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    where = machine()
    found = costs.measure(scale=given.scale)
    kept = {"SQLite": database.keeping()}
    if given.postgres:
        with contextlib.closing(Server()) as server:
            server.start()
            kept["PostgreSQL"] = database.keeping(server.database("runs"))
    rates = plan.rates(found, list(kept.values())[-1])
    text = page.text(where, found, kept, rates, list(plan.all_sizes(rates, given.runs)))
    print(text)
    if given.write_docs:
        page.write(given.write_docs, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
