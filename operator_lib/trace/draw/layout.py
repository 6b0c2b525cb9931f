"""Boxes within boxes, each box in layers: what depends on nothing above stands side by side."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from operator_lib.trace.dag import DAG, Node
from operator_lib.trace.draw import ports, ranks
from operator_lib.trace.draw.captions import Caption, caption
from operator_lib.trace.draw.lines import Label, Line, labels
from operator_lib.trace.draw.order import Grid
from operator_lib.trace.draw.picture import Arrow, Picture
from operator_lib.trace.draw.straight import Columns

HEADER, PAD, GAP_X, GAP_Y, LANE = 30.0, 14.0, 22.0, 26.0, 13.0
PILL, LEAF = 28.0, 46.0
_SIDE = 12.0
"""Between the text of a box and its border."""


@dataclass(slots=True)
class Box:
    """A node with its place; x and y are the upper left corner, in pixels."""

    node: Node | None
    caption: Caption
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0
    inside: list[Box] = field(default_factory=list["Box"])
    lines: list[Line] = field(default_factory=list[Line])
    labels: list[Label] = field(default_factory=list[Label])

    @property
    def middle(self) -> float:
        """Of its width."""
        return self.x + self.width / 2


def layout(
    dag: DAG,
    depth: int | None = None,
    folded: Collection[str] = frozenset(),
    opened: Collection[str] = frozenset(),
) -> Box:
    """Places for everything; the outermost box is the operator itself. See `Picture`."""
    picture = Picture(dag, depth, folded, opened)
    root = _sized(picture, None)
    _move(root, 0.0, 0.0)
    return root


def _sized(picture: Picture, node: Node | None) -> Box:
    box = Box(node, caption(picture, node))
    box.inside = [_sized(picture, child) for child in picture.inside.get(node.id if node else None, [])]
    text = box.caption.width + 2 * _SIDE
    if not box.inside:
        box.width = max(84.0, text)
        box.height = PILL if node and node.kind in ("input", "return") else LEAF
        return box
    _arrange(picture, box)
    if box.width < text:
        for child in box.inside:
            child.x += (text - box.width) / 2
        _shift(box, (text - box.width) / 2, 0.0)
        box.width = text
    return box


def _arrange(picture: Picture, box: Box) -> None:
    """Place the children of a box in layers, then set its own size."""
    nodes = [child.node for child in box.inside if child.node is not None]
    place = {node.id: i for i, node in enumerate(nodes)}
    arrows = picture.arrows.get(box.node.id if box.node else None, [])
    levels = ranks.ranks(picture, box.node, nodes, arrows)
    limit = ranks.ARMS if box.node is not None and box.node.kind == "branch" else ranks.ROW
    levels = ranks.wrapped(levels, [child.width for child in box.inside], GAP_X, limit)
    down = [a for a in arrows if _goes_down(a, levels[place[a.source]], levels[place[a.target]])]
    grid = Grid(levels, [(place[a.source], place[a.target]) for a in down], ports.bundles(down))
    grid.untangle()
    widths = [child.width for child in box.inside] + [LANE] * (len(grid.above) - len(nodes))
    tails, heads = ports.spread(grid, down, widths)
    x = Columns(grid, widths, GAP_X, tails, heads).x
    ports.straighten(grid, x, widths, tails, heads)
    left = min(x[v] - widths[v] / 2 for row in grid.rows for v in row)
    x = [at - left + PAD for at in x]
    rows = _rows(box, grid, x, down, tails, heads)
    box.width = max(x[v] + widths[v] / 2 for row in grid.rows for v in row) + PAD
    box.height = rows[-1][1] + PAD
    box.lines = [
        Line(arrow, _points(chain, box.inside, x, rows, levels[chain[0]], tail, head))
        for chain, arrow, tail, head in zip(grid.chains, down, tails, heads, strict=True)
    ]
    box.lines += _across(box, grid, [a for a in arrows if a.kind == "control"], place, levels)
    box.labels = labels(box.lines, rows, box.width)


def _goes_down(arrow: Arrow, source: int, target: int) -> bool:
    """What the order of the program alone connects gets a line where that is short; else the place says it."""
    return source < target and (arrow.kind != "control" or target == source + 1)


def _rows(
    box: Box, grid: Grid, x: Sequence[float], arrows: Sequence[Arrow], tails: Sequence[float], heads: Sequence[float]
) -> list[tuple[float, float]]:
    """Top and bottom of each row; puts the boxes there."""
    reach = [0.0] * len(grid.rows)
    named = [False] * len(grid.rows)
    level = {v: i for i, row in enumerate(grid.rows) for v in row}
    for chain, arrow, tail, head in zip(grid.chains, arrows, tails, heads, strict=True):
        for a, b in itertools.pairwise(chain):
            ends = x[a] + (tail if a == chain[0] else 0.0), x[b] + (head if b == chain[-1] else 0.0)
            reach[level[a]] = max(reach[level[a]], abs(ends[0] - ends[1]), 1.0)
            named[level[a]] |= bool(arrow.names)
    y = HEADER if box.node else 0.0
    rows: list[tuple[float, float]] = []
    for i, row in enumerate(grid.rows):
        height = max((box.inside[v].height for v in row if v < grid.boxes), default=0.0)
        for v in row:
            if v < grid.boxes:
                box.inside[v].x, box.inside[v].y = x[v] - box.inside[v].width / 2, y
        rows.append((y, y + height))
        # Long curves need height, or they lie flat on the boxes.
        y += height + (GAP_Y - 6 if not reach[i] else GAP_Y + 10 * named[i] + min(44.0, reach[i] * 0.07))
    return rows


def _points(
    chain: Sequence[int],
    boxes: Sequence[Box],
    x: Sequence[float],
    rows: Sequence[tuple[float, float]],
    level: int,
    tail: float,
    head: float,
) -> list[tuple[float, float]]:
    """From the bottom of the first box to the top of the last, straight down through the lanes between."""
    source = boxes[chain[0]]
    points = [(x[chain[0]] + tail, source.y + source.height), (x[chain[0]] + tail, rows[level][1])]
    for k, lane in enumerate(chain[1:-1], level + 1):
        points += [(x[lane], rows[k][0]), (x[lane], rows[k][1])]
    points.append((x[chain[-1]] + head, boxes[chain[-1]].y))
    return [p for i, p in enumerate(points) if i == 0 or p != points[i - 1]]


def _across(box: Box, grid: Grid, arrows: Sequence[Arrow], place: dict[str, int], levels: Sequence[int]) -> list[Line]:
    """Order of the program between two that stand side by side."""
    found: list[Line] = []
    for arrow in arrows:
        a, b = place[arrow.source], place[arrow.target]
        row = [v for v in grid.rows[levels[a]] if v < grid.boxes]
        if levels[a] == levels[b] and row.index(b) == row.index(a) + 1:
            left, right = box.inside[a], box.inside[b]
            y = left.y + min(left.height, right.height, LEAF) / 2
            found.append(Line(arrow, [(left.x + left.width, y), (right.x, y)]))
    return found


def _shift(box: Box, x: float, y: float) -> None:
    """Everything that a box draws itself."""
    for line in box.lines:
        line.points = [(px + x, py + y) for px, py in line.points]
    for label in box.labels:
        label.x += x
        label.y += y


def _move(box: Box, x: float, y: float) -> None:
    box.x += x
    box.y += y
    _shift(box, box.x, box.y)
    for child in box.inside:
        _move(child, box.x, box.y)
