"""Puts the table and the picture of the last run into the documentation."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks import cases
from benchmarks.results import Report
from benchmarks.table import markdown

BEGIN, END = "<!-- results: written by python -m benchmarks --write-docs -->", "<!-- end of results -->"


def write(report: Report, picture: Path, page: Path) -> None:
    """Replace what stands between the marks in `page`; the picture goes to ``images`` beside it.

    Raises:
        SystemExit: the report is not one of a full run, or the page has no marks.
    """
    absent = set(cases.NAMES) - {row.name for row in report.rows}
    failed = {row.name for row in report.rows if row.status == "failed"}
    if report.quick or absent or failed:
        why = "of --quick" if report.quick else "without " + ", ".join(sorted(absent | failed))
        raise SystemExit(f"the last results are {why}; run first: python -m benchmarks --all")
    text = page.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise SystemExit(f"{page} needs these two lines once each, around the place for the table:\n{BEGIN}\n{END}")
    block = markdown(report)
    if picture.exists():
        images = page.parent / "images"
        images.mkdir(exist_ok=True)
        shutil.copyfile(picture, images / f"{page.stem}{picture.suffix}")
        block += f"\n\n![Each figure beside its peer or limit](images/{page.stem}{picture.suffix})"
    before, rest = text.split(BEGIN)
    page.write_text(f"{before}{BEGIN}\n\n{block}\n\n{END}{rest.split(END)[1]}")
