"""Which node of the graph a call belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from operator_lib.trace.dag import Node
from operator_lib.trace.lit.shape import Shape, Site


def find(
    shape: Shape, event: Mapping[str, Any], scope: str | None, anywhere: bool, at_work: Callable[[Node], bool]
) -> Node | None:
    """The node of a call that was made directly inside of the call `scope`; None when the graph has none.

    Args:
        anywhere: nobody knows inside of which call it was made (a thread of the user's).
        at_work: whether a node, or something in it, is running.
    """
    path = str(event.get("path", ""))
    here = (str(event.get("file", "")), int(event.get("line", 0)), int(event.get("col", 0)))
    via = [(str(f), int(line), int(col)) for f, line, col in event.get("via", ())]
    at_place = [(fit, n) for n in shape.by_place.get(here, ()) if (fit := _fit(n, path))]
    best: tuple[tuple[int, ...], Node] | None = None
    for fit, node in at_place:
        way = shape.way(node, scope)
        if way is not None:
            taken = _taken(way.helpers, via)
            score = (fit, taken - len(way.helpers), taken)
            if best is None or score > best[0]:
                best = score, node
    if best is not None:
        return best[1]
    # Called by code that is no part of the graph: `map(self.a, xs)`, `pool.submit(self.a, x)`.
    named = [(w, n) for n in shape.by_path.get(path, ()) if (w := shape.way(n, scope)) is not None]
    handed = [n for w, n in named if w.floating]
    if handed:
        return min(handed, key=lambda n: (n.file != here[0], abs(n.line - here[1]), n.index))
    if len(named) == 1:  # the only place where this operator calls it, moved to another line since
        return named[0][1]
    if anywhere:
        known = [n for fit, n in at_place if fit == 3] or shape.by_path.get(path, [])
        return next((n for n in known if at_work(n)), known[0] if known else None)
    return None


def _fit(node: Node, path: str) -> int:
    """How well an operator fits to a node at its place; 0: not at all."""
    if node.certainty == "opaque" and node.operator is None:
        return 1
    if node.operator is not None:
        return 3 if node.operator == path else 0
    return 2 if node.name.rpartition(".")[2] == path.rpartition(".")[2] else 0


def _taken(helpers: Sequence[Site], via: Sequence[Site]) -> int:
    """How many of the functions in between the call came through, in this order."""
    found, start = 0, 0
    for site in helpers:
        for i in range(start, len(via)):
            # A generator is run from where its values are taken: on the line at least.
            if via[i] == site or (via[i][:2] == site[:2] and site not in via):
                found, start = found + 1, i + 1
                break
    return found
