"""The lines of a box as curves, and the names beside them where there is room."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from operator_lib.trace.draw import measure
from operator_lib.trace.draw.picture import Arrow

Point = tuple[float, float]
_HEIGHT, _TIP, _WIDEST, _COLUMN, _MANY = 14.0, 7.0, 150.0, 160.0, 2000


@dataclass(slots=True)
class Line:
    """An arrow. Between two points of one column or row it is straight, else a curve that leaves and arrives upright:
    so it stays within the gap between two layers."""

    arrow: Arrow
    points: list[Point]

    def curves(self) -> Iterator[tuple[Point, Point, Point, Point]]:
        """Cubic Bezier curves, one after the other."""
        for (ax, ay), (bx, by) in zip(self.points, self.points[1:], strict=False):
            middle = (ay + by) / 2
            yield (ax, ay), (ax, middle), (bx, middle), (bx, by)

    def samples(self, each: int = 16) -> Iterator[Point]:
        """Points on the line."""
        for a, b, c, d in self.curves():
            for i in range(each + 1):
                yield _on(a, b, c, d, i / each)


@dataclass(slots=True)
class Label:
    """Names of variables on a line; x and y are the middle."""

    text: str
    x: float
    y: float
    width: float
    height: float = _HEIGHT

    def overlaps(self, other: Label) -> bool:
        """Whether the two would touch."""
        return (
            abs(self.x - other.x) < (self.width + other.width) / 2 + 2
            and abs(self.y - other.y) < (self.height + other.height) / 2 + 1
        )


def labels(lines: Sequence[Line], rows: Sequence[tuple[float, float]], width: float) -> list[Label]:
    """Each variable once for each box that it leaves, in a gap between two layers, clear of the other names."""
    gaps = {(above[1], below[0]) for above, below in itertools.pairwise(rows)}
    nearby = _Nearby(lines, gaps)
    shared = Counter((line.arrow.source, line.arrow.names) for line in lines)
    for line in lines:
        count = shared.pop((line.arrow.source, line.arrow.names), 0)
        if not line.arrow.names or not count:
            continue
        text = measure.cut(_text(line.arrow), _WIDEST, measure.SMALL)
        size = measure.width(text, measure.SMALL) + 6
        fits = [
            (cost + nearby.covered(gap, label), i, gap, label)
            for i, (cost, gap, label) in enumerate(_candidates(line, gaps, text, size, count > 1))
            if label.x - size / 2 >= 3 and label.x + size / 2 <= width - 3 and nearby.free(gap, label)
        ]
        if fits:
            _, _, gap, label = min(fits, key=lambda fit: fit[:2])
            nearby.add(gap, label)
    return nearby.labels


class _Nearby:
    """Points of lines and labels by gap and column: a label has to be compared with what is close only."""

    def __init__(self, lines: Sequence[Line], gaps: set[Point]) -> None:
        self.labels: list[Label] = []
        self._points: dict[tuple[Point, int], list[Point]] = {}
        self._labels: dict[tuple[Point, int], list[Label]] = {}
        pieces = {piece for line in lines for piece in line.curves() if (piece[0][1], piece[-1][1]) in gaps}
        for a, b, c, d in sorted(pieces):
            if a[0] != d[0] or len(pieces) < _MANY:
                for x, y in (_on(a, b, c, d, i / 10) for i in range(11)):
                    self._points.setdefault(((a[1], d[1]), int(x // _COLUMN)), []).append((x, y))

    def add(self, gap: Point, label: Label) -> None:
        """A label that has found its place."""
        self.labels.append(label)
        self._labels.setdefault((gap, int(label.x // _COLUMN)), []).append(label)

    def free(self, gap: Point, label: Label) -> bool:
        """Whether no other label is in the way."""
        near = (self._labels.get((gap, int(label.x // _COLUMN) + i), ()) for i in (-1, 0, 1))
        return not any(label.overlaps(other) for found in near for other in found)

    def covered(self, gap: Point, label: Label) -> float:
        """Lines beneath a label; its own is there for every candidate."""
        near = (self._points.get((gap, int(label.x // _COLUMN) + i), ()) for i in (-1, 0, 1))
        return 0.3 * sum(
            abs(x - label.x) < label.width / 2 and abs(y - label.y) < _HEIGHT / 2 for found in near for x, y in found
        )


def _text(arrow: Arrow) -> str:
    text = ", ".join(measure.drawable(name) for name in arrow.names[:3]) + (", …" if len(arrow.names) > 3 else "")
    return text + " ?" if arrow.assumed else text


def _candidates(
    line: Line, gaps: set[Point], text: str, size: float, shared: bool
) -> Iterator[tuple[float, Point, Label]]:
    """Places on the line, the good ones first: where several leave together near the source, else in the middle."""
    spots = (0.0, 0.2, 0.4, 0.6) if shared else (0.5, 0.35, 0.65, 0.2, 0.8, 1.0, 0.0)
    pieces = [piece for piece in line.curves() if (piece[0][1], piece[-1][1]) in gaps]
    for k, (a, b, c, d) in enumerate(pieces if len(pieces) < 4 else (*pieces[:2], pieces[-1])):
        low, high = a[1] + _HEIGHT / 2 + 2, d[1] - _HEIGHT / 2 - _TIP - 1
        for i, spot in enumerate(spots):
            x, y = _on(a, b, c, d, spot)
            yield i * 0.5 + k * 2, (a[1], d[1]), Label(text, x, max(low, min(high, y)), size)


def _on(a: Point, b: Point, c: Point, d: Point, t: float) -> Point:
    s = 1 - t
    w = (s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t)
    return (
        a[0] * w[0] + b[0] * w[1] + c[0] * w[2] + d[0] * w[3],
        a[1] * w[0] + b[1] * w[1] + c[1] * w[2] + d[1] * w[3],
    )
