"""Where order matters although no value flows: a change, after what was looked at or changed before it.

Every region is looked at by itself. What happens inside a call or a region is what that node does to the region around
it, so an edge joins the two nodes that stand side by side there: the second must not begin before the first has ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from operator_lib.trace.frame import Frame
from operator_lib.trace.graph import Draft, Graph
from operator_lib.trace.objects import PERHAPS, READ, THROUGHOUT, WHOLE, WRITTEN
from operator_lib.trace.values import Place
from operator_lib.trace.world import World

EffectEdge = tuple[Draft, Draft, str, str]


@dataclass(slots=True)
class _State:
    """Who changed a piece of state last, and who has looked at it since. Both with the certainty of what they did."""

    writers: list[tuple[Draft, str]] = field(default_factory=list[tuple[Draft, str]])
    readers: list[Draft] = field(default_factory=list[Draft])


# For each region and place: what its children do there, in program order.
Accesses = dict[Draft | None, dict[Place, dict[Draft, tuple[bool, int]]]]


def effects(graph: Graph, world: World) -> Iterator[EffectEdge]:
    """Write after write and write after read, between neighbours only."""
    accesses = _by_region(graph, world)
    order = {draft: index for index, draft in enumerate(graph.drafts)}
    for region, places in accesses.items():
        for place, children in places.items():
            if len(children) > 1:
                ordered = sorted(children, key=order.__getitem__)
                yield from _neighbours(region, ordered, children, _called(graph, world, ordered[0].frame, place))


def _called(graph: Graph, world: World, frame: Frame, place: Place) -> str:
    """What a function calls a piece of state: an attribute's own title, else its variable, or that of what holds it."""
    title = graph.titles.get(place, "")
    if "." in title:
        return title
    seen = near = {place}
    while near:
        named = [graph.names[frame, one] for one in near if (frame, one) in graph.names]
        if named:
            return min(named)[1]
        near = {holder for one in near for holder in world.holders.get(one, ())} - seen
        seen = seen | near
    return title


def _by_region(graph: Graph, world: World) -> Accesses:
    written = {place for _, place, how in graph.events if how in (WRITTEN, PERHAPS)}
    whole = {place[0] for place in written if place[1] == WHOLE}
    inside = _inside(written, world)
    found: Accesses = {}
    for draft, place, how in graph.events:
        touched = inside.get(place, ()) if how == THROUGHOUT else (place,) if place in written else ()
        for one in (*touched, (place[0], WHOLE)) if place[0] in whole else touched:
            _note(found, draft, one, READ if how == THROUGHOUT else how)
    return found


def _inside(written: set[Place], world: World) -> dict[Place, list[Place]]:
    """For every object, which of those that are written can be reached from it."""
    found: dict[Place, list[Place]] = {}
    for place in sorted(written):
        seen = {place}
        stack = [place]
        while stack:
            one = stack.pop()
            found.setdefault(one, []).append(place)
            for holder in world.holders.get(one, ()):
                if holder not in seen:
                    seen.add(holder)
                    stack.append(holder)
    return found


def _note(found: Accesses, draft: Draft, place: Place, how: int) -> None:
    """A node does something, and so does every region around it."""
    child: Draft | None = draft
    while child is not None:
        children = found.setdefault(child.parent, {}).setdefault(place, {})
        reads, writes = before = children.get(child, (False, READ))
        now = (reads or how == READ, _stronger(writes, how))
        if child in children and now == before:
            return
        children[child] = now
        child = child.parent


def _stronger(one: int, other: int) -> int:
    """Of two things that a node does to some state: a change, a change that is only assumed, nothing."""
    return min(one, other) if one and other else one or other


def _neighbours(
    region: Draft | None, ordered: list[Draft], children: dict[Draft, tuple[bool, int]], title: str
) -> Iterator[EffectEdge]:
    """The edges inside one region for one piece of state."""
    before = _State()
    after: list[_State] = []
    for child in ordered:
        reads, how = children[child]
        state = before
        if child.arm:  # starts from what was before all arms
            state = _State(list(before.writers), list(before.readers))
            after.append(state)
        elif after and region is not None and region.kind == "try":
            before = state = _joined([before, *after])
            after = []
        if how != READ:
            certainty = "assumed" if how == PERHAPS else "exact"
            for writer, sure in state.writers:
                yield writer, child, title, "assumed" if "assumed" in (sure, certainty) else "exact"
            for reader in state.readers:
                yield reader, child, title, certainty
            state.writers, state.readers = [(child, certainty)], []
        elif reads:
            state.readers.append(child)


def _joined(states: list[_State]) -> _State:
    writers = dict(w for s in states for w in s.writers)
    readers = dict.fromkeys(r for s in states for r in s.readers)
    return _State(list(writers.items()), list(readers))
