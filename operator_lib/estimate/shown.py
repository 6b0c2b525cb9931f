"""An estimate as text, and as a table in a notebook."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from operator_lib.estimate.estimate import Estimate, NodeEstimate
    from operator_lib.estimate.quantiles import Band


def seconds(value: float) -> str:
    """``0.12 s``, ``3.4 min``."""
    for limit, factor, unit in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (120.0, 1.0, "s"), (7200.0, 1 / 60, "min")):
        if value < limit:
            return f"{value * factor:.3g} {unit}"
    return f"{value / 3600:.3g} h"


def _times(band: Band | None) -> str:
    return "no data" if band is None else " / ".join(seconds(one) for one in (band.p10, band.p50, band.p90))


def _often(node: NodeEstimate) -> str:
    if node.trips is None:
        return ""
    if node.kind == "loop":
        return f"{node.trips.p10:.3g} / {node.trips.p50:.3g} / {node.trips.p90:.3g} rounds"
    share = "" if node.frequency is None or node.frequency >= 1 else f"{node.frequency:.0%} of the times"
    return share if node.runs else "never so far"


def _call(node: NodeEstimate) -> str:
    if node.kind != "call":
        return ""
    return _times(node.seconds) + (" (its code has changed since)" if node.changed and node.seconds else "")


def rows(found: Estimate) -> list[tuple[str, str, str]]:
    """Node, time of one call (p10 / p50 / p90), how often."""
    depths = _depths(found)
    return [("  " * depths[node.id] + node.title, _call(node), _often(node)) for node in found.nodes]


def _depths(found: Estimate) -> dict[str, int]:
    shown, depths = {node.id for node in found.nodes}, dict[str, int]()
    for node in found.nodes:
        parent = found.dag.node(node.id).parent
        while parent is not None and parent not in shown:
            parent = found.dag.node(parent).parent
        depths[node.id] = 0 if parent is None else depths[parent] + 1
    return depths


def headline(found: Estimate) -> str:
    """In one line."""
    if found.seconds is None:
        return f"{found.name}: there is no run to tell from"
    runs = f"from {found.runs} run{'s' * (found.runs != 1)}"
    return f"{found.name}: {_times(found.seconds)} (p10 / p50 / p90), {runs}"


def remarks(found: Estimate) -> list[str]:
    """What else there is to say."""
    if found.seconds is None:
        return ["Record one: with operator_lib.record(): op(...); or deploy it and submit a run."]
    said: list[str] = []
    if found.few:
        said.append("few runs: these are the least, the middle and the most so far; others may well take less or more")
    if found.unknown:
        said.append("no data, and not part of it: " + ", ".join(node.title for node in found.unknown))
    names = {node.id: node.title for node in found.dag.nodes}
    if found.critical.nodes:
        said.append("critical path: " + " → ".join(names[id] for id in found.critical.nodes))
    one, two = found.workers.get(1), found.workers.get(2)
    if one and two and found.own:
        gain = 1 - two / one
        said.append(
            f"with two calls at the same time: {seconds(two)} instead of {seconds(one)} ({gain:.0%} less)"
            if gain >= 0.005
            else "two calls at the same time would gain nothing: each waits for the one before it"
        )
    return said


def text(found: Estimate) -> str:
    """For a terminal."""
    table = rows(found)
    widths = [max((len(row[column]) for row in table), default=0) for column in range(2)]
    lines = [f"  {name.ljust(widths[0])}  {times.ljust(widths[1])}  {often}".rstrip() for name, times, often in table]
    return "\n".join([headline(found), *(lines if found.seconds else []), *remarks(found)])


def page(found: Estimate) -> str:
    """For a notebook."""

    def cells(kind: str, row: tuple[str, ...]) -> str:
        return "".join(f"<{kind} style='text-align:left;white-space:pre'>{html.escape(cell)}</{kind}>" for cell in row)

    head = cells("th", ("node", "one call: p10 / p50 / p90", "how often"))
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows(found)) if found.seconds else ""
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if body else ""
    more = "".join(f"<div>{html.escape(line)}</div>" for line in remarks(found))
    return f"<div><strong>{html.escape(headline(found))}</strong>{table}{more}</div>"
