"""The one command: measures, prints a table, draws a picture."""

from __future__ import annotations

import argparse
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from rich.console import Console

from benchmarks import cases, page, picture, results, table
from benchmarks.machine import machine, versions
from benchmarks.peers import separate
from benchmarks.results import Report
from benchmarks.runner import ROOT, run


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=cases.NAMES, metavar="NAME", help="this case (repeatable)")
    parser.add_argument("--load", action="store_true", help="only the cases under load: some minutes more")
    parser.add_argument("--all", action="store_true", help="the usual cases and those under load")
    parser.add_argument(
        "--peers", action="store_true", help="install those peers that need an environment of their own"
    )
    parser.add_argument("--list", action="store_true", help="the names of the cases")
    parser.add_argument("--rounds", type=_positive, default=7, help="how often each is measured (default 7)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that it works, measures nothing")
    parser.add_argument("--json", action="store_true", help="print results.json instead of the table")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "out", help="where results are written")
    parser.add_argument("--write-docs", action="store_true", help="put the last results into the documentation")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "benchmarks.md", help="the page for --write-docs")
    return parser.parse_args()


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text!r}")
    return int(text)


def measure(chosen: argparse.Namespace, progress: Console) -> Report:
    """Run the chosen cases in their order."""
    before, rows = machine(), []
    for name in cases.NAMES:
        case = cases.load(name)
        if name not in chosen.only if chosen.only else not (chosen.all or (case.group == "load") == chosen.load):
            continue
        with progress.status(f"{name} ..."):
            rows.append(run(case, chosen.rounds, quick=chosen.quick))
    taken = datetime.now(UTC).isoformat(timespec="seconds")
    return Report(before, versions(), taken, chosen.rounds, chosen.quick, rows)


def install(progress: Console) -> int:
    """Build the environments of peers."""
    failed = 0
    for peer in separate.ALL:
        with progress.status(f"installing {peer.name} ..."):
            problem = peer.install()
        progress.print(problem or f"{peer.name} {peer.version()} is installed", markup=False, soft_wrap=True)
        failed += bool(problem)
    return 1 if failed else 0


def main() -> int:
    chosen = arguments()
    kept: Path = chosen.out / "results.json"
    progress = Console(stderr=True)
    if chosen.list:
        print("\n".join(cases.NAMES))
        return 0
    if chosen.peers:
        return install(progress)
    if chosen.write_docs:
        page.write(results.read(kept), chosen.out / "results.svg", chosen.page)
        progress.print(f"wrote {chosen.page}", soft_wrap=True)
        return 0
    report = measure(chosen, progress)
    chosen.out.mkdir(parents=True, exist_ok=True)
    kept.write_text(report.to_json())
    written = [kept]
    try:
        written += picture.draw(report, chosen.out)
    except ModuleNotFoundError as error:
        progress.print(f"no picture, {error.name} is not installed: pip install 'matplotlib>=3.9'", markup=False)
    if chosen.json:
        sys.stdout.write(report.to_json())
    else:
        table.show(report, Console(width=None if sys.stdout.isatty() else 150))
    progress.print("wrote " + ", ".join(str(path) for path in written), soft_wrap=True)
    return 1 if any(row.status == "failed" for row in report.rows) else 0


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _leave)
    sys.exit(main())
