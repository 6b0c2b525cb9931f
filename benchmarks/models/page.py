"""The results as a table in the documentation."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from benchmarks.machine import cpu

BEGIN, END = "<!-- results: written by python -m benchmarks.models --write-docs -->", "<!-- end of results -->"
HEADINGS = (
    "model", "calls", "predicted", "wrong", "coverage", "nodes", "trace", "modules", "torch.fx", "torch.export",
)  # fmt: skip

Row = dict[str, Any]


def markdown(report: dict[str, Any]) -> str:
    """Summary, table, and where it was taken."""
    rows: list[Row] = report["rows"]
    lines = [summary(rows), "", f"| {' | '.join(HEADINGS)} |", "|---|" + "--:|" * (len(HEADINGS) - 1)]
    lines += [f"| {' | '.join(cells(row))} |" for row in rows]
    return "\n".join([*lines, "", caption(report)])


def cells(row: Row) -> tuple[str, ...]:
    """One row, in the order of `HEADINGS`."""
    ours = row["ours"]
    if "error" in ours:
        return (row["name"], ours["error"], *[""] * 6, _peer(row, "fx"), _peer(row, "export"))
    return (
        row["name"],
        str(ours["calls"]),
        str(ours["calls"] - len(ours["missing"])),
        str(len(ours["wrong"])),
        f"{ours['coverage']:.1%}".replace("100.0%", "100 %"),
        f"{ours['nodes']:,}",
        f"{ours['ms']:.0f} ms",
        str(ours["modules"]),
        _peer(row, "fx"),
        _peer(row, "export"),
    )


def _peer(row: Row, name: str) -> str:
    found = row.get(name, {"error": "not asked"})
    return found.get("error") or str(found["modules"])


def summary(rows: list[Row]) -> str:
    """All rows in three sentences."""
    ours = [row["ours"] for row in rows if "error" not in row["ours"]]
    calls, missing = sum(o["calls"] for o in ours), sum(len(o["missing"]) for o in ours)
    opaque, times = sum(len(o["opaque"]) for o in ours), [o["ms"] for o in ours]
    managed = {peer: sum("modules" in row.get(peer, ()) for row in rows) for peer in ("fx", "export")}
    return (
        f"{len(rows)} models, {calls:,} calls of modules observed, {calls - missing:,} predicted, {missing} missing; "
        f"{sum(len(o['wrong']) for o in ours)} nodes that claim to run always did not. "
        f"{sum(not o['opaque'] for o in ours)} graphs are complete; the others have {opaque} opaque nodes together. "
        f"Cold trace: median {statistics.median(times):.0f} ms, slowest {max(times):,.0f} ms. "
        f"`torch.fx.symbolic_trace` manages {managed['fx']} of {len(rows)}, "
        f"`torch.export.export(strict=False)` {managed['export']}."
    )


def caption(report: dict[str, Any]) -> str:
    """Where, when, with what."""
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    return f"{cpu()}, {report['python']}; {versions}. {report['taken']}."


def write(report: dict[str, Any], page: Path) -> None:
    """Replace what stands between the marks in `page`.

    Raises:
        SystemExit: the page has no marks.
    """
    text = page.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise SystemExit(f"{page} needs these two lines once each, around the place for the table:\n{BEGIN}\n{END}")
    before, rest = text.split(BEGIN)
    page.write_text(f"{before}{BEGIN}\n\n{markdown(report)}\n\n{END}{rest.split(END)[1]}")
