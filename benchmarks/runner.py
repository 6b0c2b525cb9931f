"""Runs cases one after another, each in a fresh process: no case sees another's threads, imports or channels."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.case import Case, Measurement
from benchmarks.results import Row, measured, unmeasured

ROOT = Path(__file__).resolve().parent.parent
# Seconds a case may take, and then to stop what it started.
PATIENCE = 300.0
FAREWELL = 60.0
# Of what a case that failed has written.
LINES = 25


def run(case: Case, rounds: int, *, quick: bool = False) -> Row:
    """Measure one case; what keeps it from being measured is said in the row."""
    missing = [wanted for module, wanted in case.needs.items() if importlib.util.find_spec(module) is None]
    if missing:
        return unmeasured(case, "skipped", "not installed: pip install " + " ".join(f"'{m}'" for m in missing))
    absent = case.peer.missing() if case.peer is not None else ""
    if absent:
        return unmeasured(case, "skipped", absent)
    with tempfile.TemporaryDirectory(prefix="operator-lib-benchmark-") as folder:
        answer, log = Path(folder, "answer.json"), Path(folder, "log")
        command = [sys.executable, "-m", "benchmarks.one", case.name, "--rounds", str(rounds), "--to", str(answer)]
        ended = _process([*command, "--quick"] if quick else command, log)
        found = json.loads(answer.read_text()) if answer.exists() else {}
        if ended:
            last = log.read_text(errors="replace").splitlines()[-LINES:]
            print(f"{case.name}: {ended}; it wrote last:", *last, sep="\n  ", file=sys.stderr)
            return unmeasured(case, "failed", found.get("failure", ended))
        return measured(case, Measurement(**found))


def _process(command: list[str], log: Path) -> str:
    """Run it to its end; in words what went wrong, or nothing."""
    with log.open("wb") as sink:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return f"not done after {PATIENCE:g} s"
        finally:
            _end(process)
    return f"exit {code}" if code else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let it clean up, then make sure that it is gone."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(FAREWELL)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
