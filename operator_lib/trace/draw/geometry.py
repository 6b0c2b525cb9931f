"""Where everything of the picture is, as plain data: for a page that draws it itself, and draws it again."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from operator_lib.trace.dag import DAG
from operator_lib.trace.draw.layout import PAD, Box, layout
from operator_lib.trace.draw.lines import Label, Line
from operator_lib.trace.draw.svg import drawn, said


def geometry(
    dag: DAG,
    depth: int | None = None,
    folded: Collection[str] = frozenset(),
    opened: Collection[str] = frozenset(),
) -> dict[str, Any]:
    """Boxes with their texts, lines as SVG paths and labels, in pixels; a box comes before those inside it.

    ``folds`` of a box: 1 it can be shut, -1 it is shut and can be opened, 0 neither.
    """
    root = layout(dag, depth, folded, opened)
    made: dict[str, Any] = {
        "width": _round(root.width + 2 * PAD),
        "height": _round(root.height + 2 * PAD),
        "boxes": [],
        "lines": [],
        "labels": [],
    }
    _content(root, made, 0)
    return made


def _content(box: Box, made: dict[str, Any], level: int) -> None:
    inside = box.node.id if box.node is not None else None
    made["lines"] += [_line(line, inside) for line in box.lines]
    for child in box.inside:
        made["boxes"].append(_box(child, level))
        _content(child, made, level + 1)
    made["labels"] += [_label(label) for label in box.labels]


def _box(box: Box, level: int) -> dict[str, Any]:
    node, caption = box.node, box.caption
    assert node is not None
    return {
        "id": node.id,
        "kind": node.kind,
        "certainty": node.certainty,
        "level": level,
        "x": _round(box.x + PAD),
        "y": _round(box.y + PAD),
        "width": _round(box.width),
        "height": _round(box.height),
        "name": caption.name,
        "type": caption.kind,
        "note": caption.note,
        "badge": caption.badge,
        "first": _round(caption.first),
        "folds": 1 if box.inside else -1 if caption.badge else 0,
    }


def _line(line: Line, inside: str | None) -> dict[str, Any]:
    arrow = line.arrow
    moved = Line(arrow, [(x + PAD, y + PAD) for x, y in line.points])
    path, tip = drawn(moved)
    return {
        "source": arrow.source,
        "target": arrow.target,
        "inside": inside,
        "kind": arrow.kind,
        "assumed": arrow.assumed,
        "path": path,
        "tip": tip,
        "says": said(line),
    }


def _label(label: Label) -> dict[str, Any]:
    return {"text": label.text, "x": _round(label.x + PAD), "y": _round(label.y + PAD), "width": _round(label.width)}


def _round(value: float) -> float:
    return round(value, 1)
