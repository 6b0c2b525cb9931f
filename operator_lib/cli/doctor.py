"""``doctor``: is this machine ready, and what to do about what is not."""

from __future__ import annotations

import shutil
import textwrap
from dataclasses import asdict

import typer

from operator_lib.cli import output
from operator_lib.cli.flags import Json

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.command()(doctor)


def _wrapped(text: str) -> str:
    """Long lists in lines of a terminal's width, below one another."""
    width = max(40, min(100, shutil.get_terminal_size().columns) - 17)
    return f"\n{'':<17}".join(textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""])


def doctor(as_json: Json = False) -> None:
    """Look over this machine and its worker. Exit code 1 when something must be put right."""
    from operator_lib.cli import checks

    findings = []
    for check in checks.all_checks():
        for finding in check():
            findings.append(finding)
            if not as_json:
                mark = output.paint(finding.status.ljust(5), _COLOURS[finding.status])
                print(f"{mark} {finding.check:<10} {_wrapped(finding.message)}")
                if finding.fix:
                    print(f"{'':<17}→ {finding.fix}")
    failed = any(finding.status == checks.FAIL for finding in findings)
    if as_json:
        output.document({"ok": not failed, "checks": [asdict(finding) for finding in findings]})
    raise typer.Exit(int(failed))
