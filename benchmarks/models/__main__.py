"""Real models: what they call when they run, beside what their graphs say, and what the tracers of torch manage."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.models import page, peers, zoo
from benchmarks.models.isolated import isolated
from benchmarks.models.specimen import Specimen
from benchmarks.models.traced import traced
from benchmarks.runner import ROOT

PATIENCE = 60.0
KEPT = ROOT / "benchmarks" / "out" / "models.json"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.models", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="this model (repeatable)")
    parser.add_argument("--list", action="store_true", help="the names of the models")
    parser.add_argument("--no-peers", action="store_true", help="only our side")
    parser.add_argument("--write-docs", action="store_true", help="put the last results into the documentation")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "models.md", help="the page for --write-docs")
    return parser.parse_args()


def measure(chosen: list[Specimen], progress: Console, *, others: bool) -> list[dict[str, Any]]:
    """Ours one after another, so that times mean something; then the peers, two at a time."""
    rows: list[dict[str, Any]] = []
    for specimen in chosen:
        with progress.status(f"{specimen.name} ({len(rows) + 1} of {len(chosen)}) ..."):
            rows.append({"name": specimen.name, "ours": isolated(traced, specimen, PATIENCE)})
    with ThreadPoolExecutor(2) as pool:
        for name, step in [("fx", peers.fx), ("export", peers.export)] if others else []:
            found = pool.map(lambda specimen, step=step: isolated(step, specimen, PATIENCE), chosen)
            for row, result in zip(rows, found, strict=True):
                with progress.status(f"{name}: {row['name']} ..."):
                    row[name] = result
    return rows


def show(rows: list[dict[str, Any]]) -> None:
    """The table, and behind it what is missing, wrong, or opaque."""
    for row in rows:
        print(" | ".join(page.cells(row)))
        for kind in ("missing", "wrong", "opaque"):
            for what in dict.fromkeys(row["ours"].get(kind, ())):
                print(f"    {kind}: {what}")
    print(page.summary(rows))


def main() -> int:
    chosen = arguments()
    if chosen.write_docs:
        page.write(json.loads(KEPT.read_text()), chosen.page)
        return 0
    models = zoo.specimens(chosen.only)
    if chosen.list:
        print("\n".join(specimen.name for specimen in models))
        return 0
    warnings.filterwarnings("ignore")
    zoo.load()
    rows = measure(models, Console(stderr=True), others=not chosen.no_peers)
    versions = {name: importlib.metadata.version(name) for name in ("operator_lib", "torch", "transformers")}
    taken = datetime.now(UTC).isoformat(timespec="seconds")
    report = {"python": f"Python {platform.python_version()}", "versions": versions, "taken": taken, "rows": rows}
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps(report, indent=1))
    show(rows)
    return 1 if any("error" in row["ours"] or row["ours"]["missing"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
