"""What has to hold for every program."""

from __future__ import annotations

import graphlib

from walks.counter import calls

_AGAIN = ("called by", "callback", "never called", "lazy", "generator")


def wrong(folder, text: str) -> list[str]:
    """What does not hold for a program."""
    outcome = folder.walk(text)
    dag = outcome.dag
    found = [f"not a walk: {refused}" for refused in outcome.refused]
    drawn = {(n.line, n.col) for n in dag.nodes if (n.kind == "call" or n.certainty == "opaque") and n.file == dag.file}
    found += [f"not in the graph: the call at {place}" for place in sorted(calls(text) - drawn)]
    known = {n.id for n in dag.nodes}
    if len(known) != len(dag.nodes):
        found.append("two nodes with one id")
    if not all(e.source in known and e.target in known for e in dag.edges):
        found.append("an edge leads nowhere")
    if not all(n.parent is None or n.parent in known for n in dag.nodes):
        found.append("a node lies nowhere")
    before: dict[str, set[str]] = {}
    for edge in dag.edges:
        before.setdefault(edge.target, set()).add(edge.source)
    try:
        list(graphlib.TopologicalSorter(before).static_order())
    except graphlib.CycleError as circle:
        found.append(f"a circle of edges: {circle}")
    return found + repeated(outcome) + skipped(outcome)


def repeated(outcome) -> list[str]:
    """Calls that happened several times in one call around them although their node is in nothing that repeats."""
    found = []
    nodes: dict[tuple[str | None, int, int], list] = {}
    for node in outcome.dag.nodes:
        if node.kind == "call":
            nodes.setdefault((node.operator, node.line, node.col), []).append(node)
    for call in outcome.root.walk():
        seen: dict[tuple, int] = {}
        for child in call.children:
            place = (child.path, *child.place[1:])
            seen[place] = seen.get(place, 0) + 1
        for place, count in seen.items():
            here = nodes.get(place, [])
            if count > 1 and len(here) == 1 and not repeats(outcome.dag, here[0]):
                found.append(f"{place} ran {count} times in {call.path!r}, its only node is in no loop")
    return found


def skipped(outcome) -> list[str]:
    """Calls that are `exact`, as everything around them is, and did not happen although the program ran to its end."""
    if outcome.root.outcome != "returned":
        return []
    ran = {(call.path, *call.place[1:]) for call in outcome.root.walk()}
    # A generator that is left early does not run to its end.
    left = {(call.path, *call.place[1:]) for call in outcome.root.walk() if call.outcome != "returned"}
    sure: set[str | None] = {None}
    guarded: set[str | None] = set()
    for node in outcome.dag.nodes:
        if node.kind == "try" or node.parent in guarded:
            guarded.add(node.id)
        # Nobody saw how the call of a method ended, and a `try` around it goes on when it raised.
        ended = node.kind != "call" or node.operator is not None or node.id not in guarded
        ended = ended and (node.operator, node.line, node.col) not in left
        if node.certainty == "exact" and node.parent in sure and ended:
            sure.add(node.id)
    nodes = [n for n in outcome.dag.nodes if n.id in sure and n.kind == "call" and n.operator is not None]
    return [f"exact, did not run: {n.title} at {n.line}" for n in nodes if (n.operator, n.line, n.col) not in ran]


def repeats(dag, node) -> bool:
    while node is not None:
        if node.kind == "loop" or node.reason.startswith(_AGAIN):
            return True
        if any(n.reason == f"recursion to {node.id}" for n in dag.nodes):
            return True
        node = dag.node(node.parent) if node.parent is not None else None
    return False
