"""Boxes within boxes, each box in layers: what depends on nothing above stands side by side."""

from __future__ import annotations

from dataclasses import dataclass, field

from operator_lib.trace.dag import DAG, Node
from operator_lib.trace.draw.picture import Picture

LEAF_HEIGHT, HEADER, PAD, GAP_X, GAP_Y, LANE = 46.0, 36.0, 14.0, 22.0, 34.0, 14.0
CHAR = 7.1
MAX_CHARS = 44


@dataclass(slots=True)
class Box:
    """A node with its place; x and y are the upper left corner, in pixels."""

    node: Node | None
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0
    inside: list[Box] = field(default_factory=list["Box"])
    lines: list[Line] = field(default_factory=list["Line"])


@dataclass(slots=True)
class Line:
    """An arrow: the points it passes through, from the bottom of one box to the top of another."""

    points: list[tuple[float, float]]
    names: tuple[str, ...]


def layout(dag: DAG) -> Box:
    """Places for everything; the outermost box is the operator itself."""
    picture = Picture(dag)
    root = _sized(picture, None)
    _move(root, PAD, PAD)
    return root


def _sized(picture: Picture, node: Node | None) -> Box:
    box = Box(node)
    inside = picture.inside.get(node.id if node else None, [])
    if not inside:
        box.width = max(96.0, _text_width(node)) if node else 120.0
        box.height = LEAF_HEIGHT if node and node.kind not in ("input", "return") else 30.0
        return box
    box.inside = [_sized(picture, child) for child in inside]
    _arrange(picture, box)
    return box


def _text_width(node: Node | None) -> float:
    if node is None:
        return 0.0
    title = node.title if len(node.title) <= MAX_CHARS else node.title[:MAX_CHARS]
    return max(len(title) * CHAR, len(note(node)) * 6.0) + 32


def note(node: Node) -> str:
    """The small line of a box."""
    if node.certainty == "opaque":
        return f"not followed: {node.reason}"
    if node.count > 1:
        return f"× {node.count}"
    if node.kind == "loop" and node.reason:
        return node.reason
    place = f"{node.file.rpartition('/')[2]}:{node.line}"
    return f"{place} · may run" if node.certainty == "may" and node.kind == "call" else place


def _arrange(picture: Picture, box: Box) -> None:
    """Place the children of a box in layers, then set its own size."""
    key = box.node.id if box.node else None
    arrows = picture.arrows.get(key, [])
    place = {b.node.id: i for i, b in enumerate(box.inside) if b.node}
    ranks = [0] * len(box.inside)
    pairs = [(place[a.source], place[a.target], a) for a in arrows]
    for source, target, _ in sorted(pairs, key=lambda p: (p[1], p[0])):
        ranks[target] = max(ranks[target], ranks[source] + 1)
    _in_order(box, ranks, {s for s, _, _ in pairs} | {t for _, t, _ in pairs})
    # A lane is a narrow gap that a long arrow passes through.
    layers: list[list[Box]] = [[] for _ in range(max(ranks, default=0) + 1)]
    for child, rank in zip(box.inside, ranks, strict=True):
        layers[rank].append(child)
    chains: list[tuple[list[Box], tuple[str, ...]]] = []
    before: dict[int, list[Box]] = {}
    for source, target, arrow in pairs:
        chain = [box.inside[source]]
        for rank in range(ranks[source] + 1, ranks[target]):
            lane = Box(None, width=LANE, height=0.0)
            layers[rank].append(lane)
            before.setdefault(id(lane), []).append(chain[-1])
            chain.append(lane)
        before.setdefault(id(box.inside[target]), []).append(chain[-1])
        chain.append(box.inside[target])
        chains.append((chain, arrow.names))
    header = HEADER if box.node else 0.0
    inner = max(_layer_width(layer) for layer in layers)
    label = _text_width(box.node)
    inner = max(inner, label - 2 * PAD)
    y = header
    for i, layer in enumerate(layers):
        if i:
            layer.sort(key=lambda b: _center(before.get(id(b), []), b))
        height = max((b.height for b in layer), default=0.0)
        x = PAD + (inner - _layer_width(layer)) / 2
        for child in layer:
            child.x, child.y = x, y
            if child.node is None:
                child.height = height
            x += child.width + GAP_X
        y += height + GAP_Y
    box.width, box.height = inner + 2 * PAD, y - GAP_Y + PAD
    box.lines = [Line(_points(chain), names) for chain, names in chains]
    box.inside = [child for child in box.inside if child.node is not None]


def _in_order(box: Box, ranks: list[int], connected: set[int]) -> None:
    """Where no data connects two neighbours in a block, program order is what the reader expects."""
    node = box.node
    if node is None or node.kind not in ("call", "loop", "with", "try") or node.reason.endswith("unrolled"):
        return
    for i in range(1, len(box.inside)):
        if i not in connected and i - 1 not in connected:
            ranks[i] = max(ranks[i], ranks[i - 1] + 1)


def _layer_width(layer: list[Box]) -> float:
    return sum(b.width for b in layer) + GAP_X * max(0, len(layer) - 1)


def _center(above: list[Box], box: Box) -> float:
    return sum(b.x + b.width / 2 for b in above) / len(above) if above else box.x


def _points(chain: list[Box]) -> list[tuple[float, float]]:
    """From the bottom of the first box to the top of the last, straight down through the lanes between."""
    points: list[tuple[float, float]] = []
    for i, box in enumerate(chain):
        middle = box.x + box.width / 2
        if i:
            points.append((middle, box.y))
        if i < len(chain) - 1:
            points.append((middle, box.y + box.height))
    return points


def _move(box: Box, x: float, y: float) -> None:
    box.x += x
    box.y += y
    for line in box.lines:
        line.points = [(px + box.x, py + box.y) for px, py in line.points]
    for child in box.inside:
        _move(child, box.x, box.y)
