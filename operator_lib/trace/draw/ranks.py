"""Which layer each box of a box stands in: below everything it depends on, near what needs it."""

from __future__ import annotations

from collections.abc import Sequence

from operator_lib.trace.dag import Node
from operator_lib.trace.draw.picture import Arrow, Picture

ROW, ARMS = 1150.0, 2300.0
"""A layer that is wider than this goes on below; the arms of a branch stand side by side as long as possible."""


def ranks(picture: Picture, parent: Node | None, nodes: Sequence[Node], arrows: Sequence[Arrow]) -> list[int]:
    """The layer of each node, from the top."""
    place = {n.id: i for i, n in enumerate(nodes)}
    below = {(place[a.source], place[a.target]) for a in arrows if a.kind != "control"}
    tied = {t for _, t in below}
    for arrow in arrows:
        # Where no data says when, the order of the program does.
        if arrow.kind == "control" and place[arrow.target] not in tied and arrow.target not in picture.fed:
            below.add((place[arrow.source], place[arrow.target]))
    below |= _by_form(parent, nodes)
    found = _longest(below, len(nodes))
    _down(found, below, nodes)
    return found


def _longest(below: set[tuple[int, int]], count: int) -> list[int]:
    found = [0] * count
    for source, target in sorted(below, key=lambda p: (p[1], p[0])):
        found[target] = max(found[target], found[source] + 1)
    return found


def _down(found: list[int], below: set[tuple[int, int]], nodes: Sequence[Node]) -> None:
    """What nothing holds at the top goes where it is needed; inputs stay."""
    held = {t for _, t in below}
    needed: dict[int, int] = {}
    for source, target in below:
        needed[source] = min(needed.get(source, found[target]), found[target])
    for i, at in needed.items():
        if i not in held and nodes[i].kind != "input":
            found[i] = at - 1


def _by_form(parent: Node | None, nodes: Sequence[Node]) -> set[tuple[int, int]]:
    """What the form of a statement says: handlers below the body, ``finally`` at the end, the result last."""
    found: set[tuple[int, int]] = set()
    if parent is not None and parent.kind == "try":
        arms = [i for i, n in enumerate(nodes) if n.name.startswith("except")]
        for i, node in enumerate(nodes):
            if arms and i < arms[0]:
                found.update((i, arm) for arm in arms)
            elif node.kind == "try" and node.name.startswith("finally"):
                found.update((j, i) for j in range(i))
    if parent is None and len(nodes) > 1 and nodes[-1].kind == "return":
        found.update((i, len(nodes) - 1) for i in range(len(nodes) - 1))
    inputs = [i for i, n in enumerate(nodes) if n.kind == "input"]
    if len(inputs) > 1:
        found.update((i, j) for i in inputs[-1:] for j in range(len(nodes)) if nodes[j].kind != "input" and j > i)
    return found


def wrapped(ranks: Sequence[int], widths: Sequence[float], gap: float, limit: float) -> list[int]:
    """The layers, with those cut into several that are too wide for a page."""
    found = [0] * len(ranks)
    shift = 0
    for rank in range(max(ranks, default=-1) + 1):
        used = 0.0
        for i in (i for i, r in enumerate(ranks) if r == rank):
            if used and used + widths[i] > limit:
                shift += 1
                used = 0.0
            used += widths[i] + gap
            found[i] = rank + shift
    return found
