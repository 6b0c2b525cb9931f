"""The edges of a finished graph: values handed on, statements that follow one another, and state in between."""

from __future__ import annotations

from operator_lib.trace.dag import Edge
from operator_lib.trace.effects import effects
from operator_lib.trace.graph import ASSUMED, Draft, Graph
from operator_lib.trace.world import World


def edges(graph: Graph, world: World, names: dict[Draft, str]) -> tuple[Edge, ...]:
    """Every edge, in program order."""
    order = {draft: index for index, draft in enumerate(graph.drafts)}
    found: list[tuple[int, int, str, str, str]] = []
    for source, target, kind, name in graph.edges:
        label, certainty = (name[1:], "assumed") if name.startswith(ASSUMED) else (name, "exact")
        found.append((order[source], order[target], kind, label, certainty))
    found += [(order[a], order[b], "control", "", "exact") for a, b in siblings(graph.drafts)]
    found += [(order[a], order[b], "effect", name, certainty) for a, b, name, certainty in effects(graph, world)]
    # Sorted, `assumed` comes before `exact` and is overridden by it.
    sure = {edge[:4]: edge[4] for edge in sorted(found, key=lambda e: (e[:4], e[4]))}
    named = {edge[:2] for edge in sure if edge[2] == "data" and edge[3]}
    for edge in [edge for edge in sure if edge[2] == "data" and not edge[3] and edge[:2] in named]:
        del sure[edge]
    ids = [names[draft] for draft in graph.drafts]
    return tuple(Edge(ids[s], ids[t], kind, name, certainty=sure[s, t, kind, name]) for s, t, kind, name in sure)


def siblings(drafts: list[Draft]) -> list[tuple[Draft, Draft]]:
    """Each node and the next one in the same region; the arms of a branch do not follow one another."""
    last: dict[int, Draft] = {}
    found: list[tuple[Draft, Draft]] = []
    for draft in drafts:
        before = last.get(id(draft.parent))
        if before is not None and not (before.arm and draft.arm) and draft.kind != "input":
            found.append((before, draft))
        last[id(draft.parent)] = draft
    return found
