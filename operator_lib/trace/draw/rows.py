"""What a text picture shows: the calls and the regions around them, each with where its data comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from operator_lib.trace.dag import DAG, Node
from operator_lib.trace.draw.measure import drawable

REGIONS = ("branch", "loop", "try", "with")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the tree."""

    node: Node
    prefix: str
    """Lines of the tree: ``│  ├─ ``."""
    label: str
    sources: tuple[str, ...]
    """The values it gets from other calls: ``load.images``."""
    notes: tuple[str, ...]


def rows(dag: DAG, *, code: bool = False) -> Iterator[Row]:
    """The tree in program order; with `code` also plain code, inputs and returns."""
    sources, calls = _sources(dag), calls_below(dag)
    # A stack, not recursion: a graph may be deeper than Python's own.
    waiting = [_lines(_visible(dag, None, calls, code), "")]
    while waiting:
        if (line := next(waiting[-1], None)) is None:
            waiting.pop()
            continue
        node, start, below_start = line
        yield Row(node, start, label(node), sources.get(node.id, ()), notes(node))
        waiting.append(_lines(_visible(dag, node.id, calls, code), below_start))


def _lines(nodes: Iterable[Node], prefix: str) -> Iterator[tuple[Node, str, str]]:
    """Each node with the lines of the tree before it, and before what is inside it."""
    shown = list(nodes)
    for i, node in enumerate(shown):
        last = i == len(shown) - 1
        yield node, prefix + ("└─ " if last else "├─ "), prefix + ("   " if last else "│  ")


def _visible(dag: DAG, parent: str | None, calls: Mapping[str, int], code: bool) -> list[Node]:
    """Children worth a line: a branch whose arms say it all is passed through."""
    found: list[Node] = []
    for node in dag.children_of(parent):
        region = node.kind in REGIONS and calls[node.id] > 0
        if region and node.kind == "branch" and node.name.startswith("if / "):
            found += _visible(dag, node.id, calls, code)
        elif region or code or node.kind == "call" or node.certainty == "opaque":
            found.append(node)
    return found


def calls_below(dag: DAG) -> dict[str, int]:
    """For each node how many calls stand inside it."""
    found = dict.fromkeys((n.id for n in dag.nodes), 0)
    for node in reversed(dag.nodes):  # what is inside comes later
        if node.parent is not None:
            found[node.parent] += found[node.id] + (node.kind == "call" or node.certainty == "opaque")
    return found


def label(node: Node) -> str:
    """``load: Load``, or the header of a region."""
    return drawable(f"{node.name} (not read)" if node.kind == "code" and node.certainty == "opaque" else node.title)


def notes(node: Node) -> tuple[str, ...]:
    """What the reader should know about the node."""
    if node.certainty == "opaque":
        return (drawable(f"not followed: {node.reason}"),)
    found: list[str] = []
    if node.kind == "call" and node.certainty == "may":
        found.append("may run")
    if node.kind == "loop" and node.reason.endswith("unrolled"):
        found.append(drawable(node.reason))
    if node.reason.startswith("recursion"):
        found.append("recursion")
    if node.extra and isinstance(order := node.extra.get("order"), str):  # what it may overlap with
        found.append(drawable(order))
    return tuple(found)


def _sources(dag: DAG) -> dict[str, tuple[str, ...]]:
    """For each node the calls of the same level that it gets data from, as ``producer.variable``."""
    by_id = {n.id: n for n in dag.nodes}
    found: dict[str, list[str]] = {}
    for edge in dag.edges:
        if edge.kind != "data":
            continue
        source, target = by_id[edge.source], by_id[edge.target]
        if source.kind != "call" or target.kind not in ("call", *REGIONS) or source.id == target.parent:
            continue
        text = source.operator or source.name
        if edge.name and edge.name != text:
            text += f".{edge.name}"
        text = drawable(text)
        names = found.setdefault(target.id, [])
        if text not in names:
            names.append(text)
    return {
        id: tuple(names) if len(names) <= 4 else (*names[:3], f"{len(names) - 3} more") for id, names in found.items()
    }


def head(dag: DAG) -> tuple[str, str]:
    """``signature`` and the summary beside it."""
    calls = len(dag.sites)
    summary = f"{len(dag.nodes)} nodes, {calls} call{'s' if calls != 1 else ''}, coverage {dag.coverage:.0%}"
    place = f"{dag.file}:{dag.line}" if dag.file else ""
    parts = (drawable(place), summary.replace("%", " %"))
    return drawable(dag.signature or dag.name), "   ".join(part for part in parts if part)
