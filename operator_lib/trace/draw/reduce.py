"""Which arrows say something new: those that a longer way does not already tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from operator_lib.trace.dag import Edge

# The certain before the assumed, values before effects: the first that occurs is how the arrow looks.
_STRONGEST = (("data", "exact"), ("effect", "exact"), ("data", "assumed"), ("effect", "assumed"))


@dataclass(slots=True)
class Flow:
    """All edges between two boxes."""

    names: dict[str, int] = field(default_factory=dict[str, int])
    """Variables that are handed over as they are, in order."""
    direct: bool = False
    strength: int = len(_STRONGEST) - 1

    def add(self, edge: Edge, direct: bool) -> None:
        """One more edge."""
        look = (edge.kind, edge.certainty)
        self.strength = min(self.strength, _STRONGEST.index(look) if look in _STRONGEST else 0)
        if direct or edge.kind == "effect":
            self.direct = True
            if edge.name:
                self.names.setdefault(edge.name, len(self.names))

    @property
    def kind(self) -> str:
        """``data`` or ``effect``."""
        return _STRONGEST[self.strength][0]

    @property
    def assumed(self) -> bool:
        """Whether no edge of it is certain."""
        return _STRONGEST[self.strength][1] == "assumed"


def reduced(flows: Mapping[tuple[int, int], Flow], count: int) -> Iterator[tuple[tuple[int, int], tuple[str, ...]]]:
    """The arrows to draw among `count` boxes, with the names to write on them.

    A variable needs no arrow of its own where it arrives from a box that the source leads to: then that one handed it
    on. What only stands behind something else needs none where any longer way exists.
    """
    into: dict[int, list[int]] = {}
    for source, target in sorted(flows):
        into.setdefault(target, []).append(source)
    before = [0] * count
    for target in sorted(into):
        for source in into[target]:
            before[target] |= before[source] | 1 << source
    crowded = len(flows) > 3 * count + 12
    for target, sources in sorted(into.items()):
        behind: dict[str, int] = {}
        behind_any = 0
        for source in sources:
            behind_any |= before[source]
            for name in flows[source, target].names:
                behind[name] = behind.get(name, 0) | before[source]
        for source in sources:
            flow = flows[source, target]
            new = tuple(name for name in flow.names if not behind[name] >> source & 1)
            implied = bool(behind_any >> source & 1)
            if not implied or (new and flow.strength == 0 and not crowded):
                yield (source, target), new
