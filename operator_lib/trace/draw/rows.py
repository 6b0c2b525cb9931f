"""What a text picture shows: the calls and the regions around them, each with where its data comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from operator_lib.trace.dag import DAG, Node

_REGIONS = ("branch", "loop", "try", "with")


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
    sources = _sources(dag)
    yield from _below(dag, None, "", sources, code)


def _below(dag: DAG, parent: str | None, prefix: str, sources: dict[str, tuple[str, ...]], code: bool) -> Iterator[Row]:
    shown = list(_visible(dag, parent, code))
    for i, node in enumerate(shown):
        last = i == len(shown) - 1
        yield Row(node, prefix + ("└─ " if last else "├─ "), label(node), sources.get(node.id, ()), notes(node))
        yield from _below(dag, node.id, prefix + ("   " if last else "│  "), sources, code)


def _visible(dag: DAG, parent: str | None, code: bool) -> Iterator[Node]:
    """Children worth a line: a single region that says nothing is passed through."""
    for node in dag.children_of(parent):
        region = node.kind in _REGIONS and has_calls(dag, node)
        if region and node.kind == "branch" and node.name.startswith("if / "):
            yield from _visible(dag, node.id, code)  # its arms say it all
        elif region or code or node.kind == "call" or node.certainty == "opaque":
            yield node


def has_calls(dag: DAG, node: Node) -> bool:
    """Whether a call stands somewhere below `node`."""
    return any(n.kind == "call" or n.certainty == "opaque" or has_calls(dag, n) for n in dag.children_of(node.id))


def label(node: Node) -> str:
    """``load: Load``, or the header of a region."""
    return f"{node.name} (not read)" if node.kind == "code" and node.certainty == "opaque" else node.title


def notes(node: Node) -> tuple[str, ...]:
    """What the reader should know about the node."""
    if node.certainty == "opaque":
        return (f"not followed: {node.reason}",)
    found: list[str] = []
    if node.kind == "call" and node.certainty == "may":
        found.append("may run")
    if node.kind == "loop" and node.reason.endswith("unrolled"):
        found.append(node.reason)
    if node.reason.startswith("recursion"):
        found.append("recursion")
    return tuple(found)


def _sources(dag: DAG) -> dict[str, tuple[str, ...]]:
    """For each node the calls of the same level that it gets data from, as ``producer.variable``."""
    by_id = {n.id: n for n in dag.nodes}
    found: dict[str, list[str]] = {}
    for edge in dag.edges:
        if edge.kind != "data":
            continue
        source, target = by_id[edge.source], by_id[edge.target]
        if source.kind != "call" or target.kind not in ("call", *_REGIONS) or source.id == target.parent:
            continue
        text = source.operator or source.name
        if edge.name and edge.name != text:
            text += f".{edge.name}"
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
    return dag.signature or dag.name, "   ".join(part for part in (place, summary.replace("%", " %")) if part)
