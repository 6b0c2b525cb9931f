"""A standalone SVG picture: no scripts, no fonts to load, light and dark, one element per node (``data-id``)."""

from __future__ import annotations

import hashlib
from collections import Counter
from html import escape

from operator_lib.trace.dag import DAG, Node
from operator_lib.trace.draw import legend, look, measure
from operator_lib.trace.draw.captions import BADGE, ICON
from operator_lib.trace.draw.layout import PAD, Box, layout
from operator_lib.trace.draw.lines import Label, Line, Point
from operator_lib.trace.draw.rows import head

_LINE, _FIRST, _NARROWEST = 19.0, 27.0, 380.0
_LONGEST = 1200
"""Characters of source in a tooltip."""


def render(dag: DAG, depth: int | None = None) -> str:
    """The picture as text; the same graph gives the same bytes."""
    root = layout(dag, depth)
    title, summary = head(dag)
    title, summary = measure.drawable(title), " · ".join([*summary.split("   "), *_tally(dag)])
    key = legend.entries(root)
    inner = max(root.width, _NARROWEST, legend.width(key))
    heading = measure.wrap(title, inner, measure.HEAD)
    inner = max(inner, measure.width(summary, measure.SMALL))
    top = _FIRST + _LINE * len(heading) + 14
    width, height = inner + 2 * PAD, top + root.height + PAD + (legend.HEIGHT if key else 0)
    out = [f'<text class="head" x="{PAD + 2:.0f}" y="{_FIRST + _LINE * i:.0f}">{escape(line)}</text>'
           for i, line in enumerate(heading)]  # fmt: skip
    out.append(_text(summary, PAD + 2, _FIRST + _LINE * len(heading) - 2, "small"))
    out.append(f'<g transform="translate({(width - root.width) / 2:.1f},{top:.1f})">')
    _content(root, out)
    out.append("</g>")
    out += legend.draw(key, PAD + 2, top + root.height + PAD)
    body = "\n".join(out)
    scope = "dag-" + hashlib.sha256(body.encode()).hexdigest()[:10]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" class="dag {scope}" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-labelledby="{scope}-title {scope}-desc">',
        f'<title id="{scope}-title">{escape(title)}</title>',
        f'<desc id="{scope}-desc">{escape(_described(dag, summary))}</desc>',
        f"<style>{look.style(scope)}</style>",
        f'<rect class="paper" width="{width:.0f}" height="{height:.0f}" rx="8"/>',
        body,
        "</svg>",
    ])  # fmt: skip


def _tally(dag: DAG) -> list[str]:
    """How many calls are in which state, once something has run."""
    found = Counter(n.status for n in dag.nodes if n.kind == "call")
    return [f"{found[s]} {s}" for s in sorted(found)] if found.keys() - {"pending"} else []


def _described(dag: DAG, summary: str) -> str:
    """For those who hear the picture: the calls in program order."""
    calls = [measure.drawable(n.title) for n in dag.sites]
    more = f" and {len(calls) - 40} more" if len(calls) > 40 else ""
    return f"Graph of {measure.drawable(dag.name)}: {summary}. Calls in program order: {', '.join(calls[:40])}{more}."


def _content(box: Box, out: list[str]) -> None:
    for line in box.lines:
        _line(line, out)
    for child in box.inside:
        _box(child, out)
    for label in box.labels:
        _label(label, out)


def _box(box: Box, out: list[str]) -> None:
    node, caption = box.node, box.caption
    assert node is not None
    form = ("nest" if node.kind == "call" else "region") if box.inside else "leaf"
    round_ = box.height / 2 if node.kind in ("input", "return") else 8 if node.kind == "call" else 5
    out.append(
        f'<g class="{escape(node.kind)} {escape(node.certainty)} {escape(node.status)} {form}" '
        f'data-id="{escape(measure.drawable(node.id))}">'
        f"<title>{_tooltip(node)}</title>"
        f'<rect class="box" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" '
        f'rx="{round_:.0f}"/>'
    )
    first = box.y + (20 if box.inside or caption.note else box.height / 2 + 4.5)
    name = f'<tspan class="title">{escape(caption.name)}</tspan>'
    if caption.kind:
        name += f'<tspan class="kind" dx="7">{escape(caption.kind)}</tspan>'
    if box.inside:
        _icon(caption.icon, box.x + 19, first - 4.5, out)
        out.append(f'<text x="{box.x + 12 + ICON * bool(caption.icon):.1f}" y="{first:.1f}">{name}</text>')
        out.append(_text(caption.note, box.x + box.width - 12, first, "small", "end"))
    else:
        aside = (ICON * bool(caption.icon) - _badge(box, out)) / 2
        _icon(caption.icon, box.middle + aside - caption.first / 2 - 9, first - 4.5, out)
        out.append(f'<text text-anchor="middle" x="{box.middle + aside:.1f}" y="{first:.1f}">{name}</text>')
        if caption.note:
            out.append(_text(caption.note, box.middle, box.y + 36, "small", "middle"))
    _content(box, out)
    out.append("</g>")


def _badge(box: Box, out: list[str]) -> float:
    """How many calls are hidden inside, in the upper right corner; the width that it takes."""
    text = box.caption.badge
    if not text:
        return 0.0
    size = measure.width(text, measure.SMALL) + BADGE
    x = box.x + box.width - size - 6
    out.append(f'<rect class="badge" x="{x:.1f}" y="{box.y + 6:.1f}" width="{size:.1f}" height="17" rx="8"/>')
    out.append(_text(text, x + size / 2, box.y + 18.5, "small", "middle"))
    return size + 6


def _icon(icon: str, x: float, y: float, out: list[str]) -> None:
    if not icon:
        return
    kind, disc = ("repeat", "") if icon == "repeat" else ("disc", '<circle r="7"/>')
    out.append(f'<g class="{kind}" transform="translate({x:.1f},{y:.1f})">{disc}'
               f'<path class="sign" d="{look.SIGNS[icon]}"/></g>')  # fmt: skip


def _text(text: str, x: float, y: float, role: str, anchor: str = "start") -> str:
    return f'<text class="{role}" text-anchor="{anchor}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _tooltip(node: Node) -> str:
    lines = [node.title, f"{node.file}:{node.line}"]
    if node.condition:
        lines.append(f"when: {node.condition}" if node.kind != "loop" else node.condition)
    if node.reason:
        lines.append(f"{node.certainty}: {node.reason}")
    if node.status != "pending":
        lines.append(f"{node.status}, {node.count} run{'s' if node.count != 1 else ''}")
    lines += node.code[:_LONGEST].splitlines()
    return escape("\n".join(measure.drawable(line) for line in lines), quote=False)


def _line(line: Line, out: list[str]) -> None:
    arrow = line.arrow
    looks = "".join(f" {name}" for name in (arrow.kind, "assumed" * arrow.assumed) if name not in ("", "data"))
    path, tip = drawn(line)
    title = f"<title>{escape(said(line), quote=False)}</title>"
    out.append(f'<path class="edge{looks}" d="{path}">{title}</path>'
               f'<path class="tip{looks}" d="{tip}"/>')  # fmt: skip


def drawn(line: Line) -> tuple[str, str]:
    """The path of a line, and that of its tip."""
    *points, (x, y) = line.points
    across = points[-1][1] == y
    end = (x - 6, y) if across else (x, y - 6)
    path = [f"M{points[0][0]:.1f},{points[0][1]:.1f}"]
    for a, b, c, d in Line(line.arrow, _corners([*points, end])).curves():
        straight = a[0] == d[0] or a[1] == d[1]
        path.append(f"L{d[0]:.1f},{d[1]:.1f}" if straight else
                    f"C{b[0]:.1f},{b[1]:.1f} {c[0]:.1f},{c[1]:.1f} {d[0]:.1f},{d[1]:.1f}")  # fmt: skip
    tip = "l-7,-3.5 v7 z" if across else "l-3.5,-7 h7 z"
    return " ".join(path), f"M{x:.1f},{y:.1f} {tip}"


def _corners(points: list[Point]) -> list[Point]:
    """Without those in the middle of a straight piece."""
    return [
        p
        for i, p in enumerate(points)
        if not 0 < i < len(points) - 1 or not points[i - 1][0] == p[0] == points[i + 1][0]
    ]


def said(line: Line) -> str:
    names = ", ".join(measure.drawable(name) for name in line.arrow.names)
    words = {"data": names or "a value", "effect": f"order of effects {names}".strip(), "control": "then"}
    return words.get(line.arrow.kind, line.arrow.kind) + (" (assumed)" if line.arrow.assumed else "")


def _label(label: Label, out: list[str]) -> None:
    out.append(
        f'<rect class="plate" x="{label.x - label.width / 2:.1f}" y="{label.y - label.height / 2:.1f}" '
        f'width="{label.width:.1f}" height="{label.height:.1f}" rx="3"/>'
        + _text(label.text, label.x, label.y + 3.8, "small", "middle")
    )
