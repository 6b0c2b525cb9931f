"""Which nodes stand in another order than before, where that matters."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

from operator_lib.trace.dag import DAG, Node
from operator_lib.trace.meaning import Meanings
from operator_lib.trace.pairs import Pairs


def moved(pairs: Pairs, before: Meanings, after: Meanings) -> list[tuple[Node, Node, Node]]:
    """Earlier node, later node, and the later node whose place it changed with.

    Only where one needs the other or both have an effect: independent work may be written in any order.
    """
    found: list[tuple[Node, Node, Node]] = []
    flows: tuple[set[tuple[str, str]], set[tuple[str, str]]] | None = None
    for parent in (None, *pairs.partner):
        children = [(n, pairs.partner[n.id]) for n in pairs.before.children_of(parent) if n.id in pairs.partner]
        there = pairs.partner[parent].id if parent is not None else None
        children = [(old, new) for old, new in children if new.parent == there and old.kind != "input"]
        if all(a[1].index < b[1].index for a, b in pairwise(children)):
            continue
        flows = flows or (_flows(pairs.before), _flows(pairs.after))
        found += _moved(children, flows, before, after)
    return found


def _moved(
    children: list[tuple[Node, Node]],
    flows: tuple[set[tuple[str, str]], set[tuple[str, str]]],
    before: Meanings,
    after: Meanings,
) -> list[tuple[Node, Node, Node]]:
    found: list[tuple[Node, Node, Node]] = []
    staying = _longest([new.index for _, new in children])
    for place, (old, new) in enumerate(children):
        if place in staying:
            continue
        for other, (o_old, o_new) in enumerate(children):
            crossed = (other < place) != (o_new.index < new.index) and other != place
            if crossed and _matters(old, o_old, new, o_new, flows, before, after):
                found.append((old, new, o_new))
                break
    return found


def _matters(
    a: Node,
    b: Node,
    now_a: Node,
    now_b: Node,
    flows: tuple[set[tuple[str, str]], set[tuple[str, str]]],
    before: Meanings,
    after: Meanings,
) -> bool:
    if (a.id, b.id) in flows[0] or (b.id, a.id) in flows[0]:
        return True
    if (now_a.id, now_b.id) in flows[1] or (now_b.id, now_a.id) in flows[1]:
        return True
    if "return" in (a.kind, b.kind):
        return True
    acts = [n.kind != "code" or before.has_effect(n) for n in (a, b)]
    # Two calls that share no value are as independent as the graph says.
    return all(acts) and "code" in (a.kind, b.kind)


def _flows(dag: DAG) -> set[tuple[str, str]]:
    """Pairs of nodes of the same region between which values or effects flow, or between what is inside them."""
    above: dict[str, list[str]] = {}
    for node in dag.nodes:  # parents come first
        above[node.id] = [*above.get(node.parent or "", ()), node.id]
    found: set[tuple[str, str]] = set()
    for edge in dag.edges:
        if edge.kind == "control" or edge.source not in above or edge.target not in above:
            continue
        for one, other in zip(above[edge.source], above[edge.target], strict=False):
            if one != other:
                found.add((one, other))
                break
    return found


def _longest(values: list[int]) -> set[int]:
    """Places of a longest rising run in `values`: what can be taken to have stayed."""
    tops: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for place, value in enumerate(values):
        length = bisect_left(tops, value)
        previous.append(ends[length - 1] if length else -1)
        tops[length:] = [value] if length == len(tops) else [value, *tops[length + 1 :]]
        ends[length:] = [place] if length == len(ends) else [place, *ends[length + 1 :]]
    found: set[int] = set()
    place = ends[-1] if ends else -1
    while place >= 0:
        found.add(place)
        place = previous[place]
    return found
