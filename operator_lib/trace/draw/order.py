"""From left to right: each layer in an order in which few lines cross."""

from __future__ import annotations

import itertools
from bisect import bisect_right, insort
from collections.abc import Hashable, Sequence

_EFFORT = 40_000
"""Steps of the search: a picture of thousands of boxes gets one sweep, a page of them all that helps."""


class Grid:
    """Boxes and lanes in rows. A lane is the gap in a row that a long line passes through.

    Vertices 0..n-1 are the boxes, the others the lanes; a chain is a line from row to row. Lines of one bundle share
    their lanes.
    """

    def __init__(self, ranks: Sequence[int], pairs: Sequence[tuple[int, int]], bundles: Sequence[Hashable]) -> None:
        self.boxes = len(ranks)
        self.rows: list[list[int]] = [[] for _ in range(max(ranks, default=0) + 1)]
        for vertex, rank in enumerate(ranks):
            self.rows[rank].append(vertex)
        self.above: list[list[int]] = [[] for _ in ranks]
        self.below: list[list[int]] = [[] for _ in ranks]
        self._lanes: dict[tuple[Hashable, int], int] = {}
        self.chains: list[list[int]] = [
            self._chain(ranks, source, target, bundle) for (source, target), bundle in zip(pairs, bundles, strict=True)
        ]
        self.at = [0] * len(self.above)
        self._number()

    def _chain(self, ranks: Sequence[int], source: int, target: int, bundle: Hashable) -> list[int]:
        lanes = [self._lane(bundle, rank) for rank in range(ranks[source] + 1, ranks[target])]
        chain = [source, *lanes, target]
        for a, b in itertools.pairwise(chain):
            if b not in self.below[a]:
                self.below[a].append(b)
                self.above[b].append(a)
        return chain

    def _lane(self, bundle: Hashable, rank: int) -> int:
        if (bundle, rank) not in self._lanes:
            self._lanes[bundle, rank] = len(self.above)
            self.rows[rank].append(len(self.above))
            self.above.append([])
            self.below.append([])
        return self._lanes[bundle, rank]

    def _number(self) -> None:
        for row in self.rows:
            for i, vertex in enumerate(row):
                self.at[vertex] = i

    # --- fewer crossings -------------------------------------------------------------------------------------------

    def untangle(self) -> None:
        """Several sweeps down and up, each row in the order of what it is connected to; the best one is kept."""
        size = sum(map(len, self.below)) + len(self.above)
        best, fewest = [list(row) for row in self.rows], self.crossings()
        for sweep in range(max(1, min(16, _EFFORT // max(1, size)))):
            if fewest == 0:
                break
            down = sweep % 2 == 0
            for row in self.rows if down else reversed(self.rows):
                self._sort(row, self.above if down else self.below)
            if size < 600:
                self._swap_neighbours()
            if (now := self.crossings()) < fewest:
                best, fewest = [list(row) for row in self.rows], now
        self.rows = best
        self._number()

    def _sort(self, row: list[int], beside: Sequence[Sequence[int]]) -> None:
        """By the mean place of the neighbours; what has none keeps its place."""
        slots = [i for i, vertex in enumerate(row) if beside[vertex]]
        keys = {row[i]: sum(self.at[n] for n in beside[row[i]]) / len(beside[row[i]]) for i in slots}
        for i, vertex in zip(slots, sorted(keys, key=lambda v: (keys[v], self.at[v])), strict=True):
            row[i] = vertex
        for i, vertex in enumerate(row):
            self.at[vertex] = i

    def _swap_neighbours(self) -> None:
        for row in self.rows:
            for i in range(len(row) - 1):
                a, b = row[i], row[i + 1]
                gain = sum(_pairs(side[a], side[b], self.at) for side in (self.above, self.below))
                loss = sum(_pairs(side[b], side[a], self.at) for side in (self.above, self.below))
                if loss < gain:
                    row[i], row[i + 1] = b, a
                    self.at[a], self.at[b] = i + 1, i

    def crossings(self) -> int:
        """How many pairs of lines cross."""
        found = 0
        for row in self.rows:
            seen: list[int] = []
            for vertex in row:
                ends = [self.at[n] for n in self.below[vertex]]
                found += sum(len(seen) - bisect_right(seen, end) for end in ends)
                for end in ends:
                    insort(seen, end)
        return found


def _pairs(left: Sequence[int], right: Sequence[int], at: Sequence[int]) -> int:
    """Crossings between the lines of two neighbours in this order."""
    return sum(at[a] > at[b] for a in left for b in right)
