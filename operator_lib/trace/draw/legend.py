"""What the lines and borders mean: only those that occur and that do not speak for themselves."""

from __future__ import annotations

from collections.abc import Iterator

from operator_lib.trace.draw import measure
from operator_lib.trace.draw.layout import Box

HEIGHT = 22.0
_SAMPLE, _GAP = 26.0, 20.0
_WORDS = {
    "control": "then, no data flows",
    "effect": "order of side effects",
    "assumed": "assumed: code that cannot be read may change it",
    "may": "may run",
    "opaque": "not followed",
}


def entries(root: Box) -> list[str]:
    """The looks that occur, in a fixed order."""
    found = set(_looks(root))
    return [look for look in _WORDS if look in found]


def _looks(box: Box) -> Iterator[str]:
    for line in box.lines:
        yield "assumed" if line.arrow.assumed else line.arrow.kind
    for child in box.inside:
        if child.node is not None:
            yield child.node.certainty
        yield from _looks(child)


def width(looks: list[str]) -> float:
    """Pixels in one row."""
    return sum(_SAMPLE + 6 + measure.width(_WORDS[look], measure.SMALL) + _GAP for look in looks)


def draw(looks: list[str], x: float, y: float) -> Iterator[str]:
    """One sample and its meaning after the other."""
    for look in looks:
        if look in ("may", "opaque"):
            kind = "call may" if look == "may" else "opaque"
            yield f'<g class="{kind}"><rect class="box" x="{x:.1f}" y="{y - 1:.1f}" width="{_SAMPLE - 4:.0f}" height="12" rx="4"/></g>'  # noqa: E501
        else:
            yield f'<path class="edge {look}" d="M{x:.1f},{y + 5:.1f} h{_SAMPLE - 10:.0f}"/>'
            yield f'<path class="tip {look}" d="M{x + _SAMPLE - 4:.1f},{y + 5:.1f} l-7,-3.5 v7 z"/>'
        x += _SAMPLE + 6
        yield f'<text class="small" x="{x:.1f}" y="{y + 9:.1f}">{_WORDS[look]}</text>'
        x += measure.width(_WORDS[look], measure.SMALL) + _GAP
