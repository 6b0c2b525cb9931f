"""Where each box and lane stands in its row: beneath what it is connected to, long lines straight."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

from operator_lib.trace.draw.order import Grid

_SWEEPS, _SETTLE = 8, 16


class Columns:
    """The centres `x` of all vertices of a grid.

    `tails` and `heads` say for each chain how far from the centre of its boxes the line begins and ends.
    """

    def __init__(
        self, grid: Grid, widths: Sequence[float], gap: float, tails: Sequence[float], heads: Sequence[float]
    ) -> None:
        self.grid, self.widths, self.gap = grid, widths, gap
        self.tails, self.heads = tails, heads
        self.x = [0.0] * len(widths)
        self.up: list[list[tuple[int, float, float]]] = [[] for _ in widths]
        self.down: list[list[tuple[int, float, float]]] = [[] for _ in widths]
        self._connect()
        self._pack()
        self._relax()
        self._straighten()

    def _connect(self) -> None:
        """For each vertex its neighbours above and below, how far beside them it belongs, and how much that matters."""
        pieces: Counter[tuple[int, int, float]] = Counter()  # lines of one bundle share some
        for chain, tail, head in zip(self.grid.chains, self.tails, self.heads, strict=True):
            for k, (a, b) in enumerate(itertools.pairwise(chain)):
                pieces[a, b, (tail if k == 0 else 0.0) - (head if k == len(chain) - 2 else 0.0)] += 1
        for (a, b, shift), count in pieces.items():
            lanes = (a >= self.grid.boxes) + (b >= self.grid.boxes)
            weight = count * (4.0, 1.0, 8.0)[lanes]
            self.up[b].append((a, shift, weight))
            self.down[a].append((b, -shift, weight))

    def _apart(self, a: int, b: int) -> float:
        """Between the centres of two neighbours in a row."""
        narrow = a >= self.grid.boxes and b >= self.grid.boxes
        return (self.widths[a] + self.widths[b]) / 2 + (0.0 if narrow else self.gap)

    def _pack(self) -> None:
        for row in self.grid.rows:
            at = 0.0
            for i, vertex in enumerate(row):
                at += self._apart(row[i - 1], vertex) if i else 0.0
                self.x[vertex] = at
            for vertex in row:
                self.x[vertex] -= at / 2

    def _relax(self) -> None:
        rows = self.grid.rows
        for sweep in range(_SWEEPS + _SETTLE):
            last = sweep >= _SWEEPS
            for row in rows if sweep % 2 == 0 else reversed(rows):
                sides = (self.up, self.down) if last else (self.up,) if sweep % 2 == 0 else (self.down,)
                self._place(row, sides)

    def _place(self, row: Sequence[int], sides: Sequence[Sequence[Sequence[tuple[int, float, float]]]]) -> None:
        wanted: list[float] = []
        weights: list[float] = []
        for vertex in row:
            near = [link for side in sides for link in side[vertex]]
            weight = sum(w for _, _, w in near)
            wanted.append(sum((self.x[n] + s) * w for n, s, w in near) / weight if near else self.x[vertex])
            weights.append(weight or 0.05)
        gaps = [self._apart(a, b) for a, b in itertools.pairwise(row)]
        for vertex, x in zip(row, nearest(wanted, weights, gaps), strict=True):
            self.x[vertex] = x

    def _straighten(self) -> None:
        """One column for all lanes of a line, where their neighbours leave one free."""
        rows = {v: row for row in self.grid.rows for v in row if v >= self.grid.boxes}
        ends = list(zip(self.grid.chains, self.tails, self.heads, strict=True))
        for _ in range(3 if len(ends) < 500 else 0):  # a line that has moved makes room for the one beside it
            for chain, tail, head in ends:
                if lanes := chain[1:-1]:
                    self._align(lanes, rows, (self.x[chain[0]] + tail, self.x[chain[-1]] + head))

    def _align(self, lanes: Sequence[int], rows: dict[int, list[int]], ends: tuple[float, float]) -> None:
        low, high = min(self.x[v] for v in lanes), max(self.x[v] for v in lanes)
        free = [self._free(rows[lane], lane, low, high) for lane in lanes]
        low, high = max(f[0] for f in free), min(f[1] for f in free)
        if low <= high:
            wanted = min(ends, key=lambda x: (max(low - x, x - high, 0.0), abs(x - self.x[lanes[0]])))
            for lane in lanes:
                self.x[lane] = min(max(wanted, low), high)

    def _free(self, row: Sequence[int], vertex: int, low: float, high: float) -> tuple[float, float]:
        """How far a vertex can move between its neighbours; at the rim of a row as far as its line goes elsewhere."""
        i = row.index(vertex)
        if i:
            low = self.x[row[i - 1]] + self._apart(row[i - 1], vertex)
        if i + 1 < len(row):
            high = self.x[row[i + 1]] - self._apart(vertex, row[i + 1])
        return low, high


def nearest(wanted: Sequence[float], weights: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """The places nearest to the wanted ones (weighted squares) in the same order and at least `gaps` apart.

    With the gaps taken out this is isotonic regression: neighbours that are in each other's way become one block.
    """
    offset = 0.0
    offsets: list[float] = []
    blocks: list[tuple[float, float, int]] = []  # weighted sum, weight, vertices
    for i, (want, weight) in enumerate(zip(wanted, weights, strict=True)):
        offset += gaps[i - 1] if i else 0.0
        offsets.append(offset)
        block = ((want - offset) * weight, weight, 1)
        while blocks and blocks[-1][0] / blocks[-1][1] > block[0] / block[1]:
            total, mass, count = blocks.pop()
            block = (total + block[0], mass + block[1], count + block[2])
        blocks.append(block)
    means = [total / mass for total, mass, count in blocks for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]
