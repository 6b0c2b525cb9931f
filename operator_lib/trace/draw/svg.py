"""A standalone SVG picture: no scripts, no fonts to load, light and dark, one element per node (``data-id``)."""

from __future__ import annotations

from html import escape

from operator_lib.trace.dag import DAG, Node
from operator_lib.trace.draw.layout import CHAR, HEADER, PAD, Box, Line, layout, note
from operator_lib.trace.draw.rows import head

# Plain colours, not CSS variables: many viewers know no variables.
_LIGHT = {
    "ink": "#1f2430", "dim": "#6b7280", "line": "#9aa3b2", "paper": "#ffffff", "call": "#eef4ff",
    "call_line": "#4f7cd8", "block": "#f7f8fa", "block_line": "#c3c9d4", "io": "#eefaf2", "io_line": "#4aa36c",
    "warn": "#fff4e5", "warn_line": "#d98a1f", "bad": "#fdecec", "bad_line": "#d23f3f",
}  # fmt: skip
_DARK = {
    "ink": "#e6e9ef", "dim": "#9aa3b2", "line": "#6b7485", "paper": "#15181e", "call": "#1d2a44",
    "call_line": "#7ea2ee", "block": "#1c2028", "block_line": "#3c4452", "io": "#173024", "io_line": "#5dbb83",
    "warn": "#3a2a12", "warn_line": "#e0a04a", "bad": "#3b1a1c", "bad_line": "#e66a6a",
}  # fmt: skip
_SHAPE = """.dag{font-family:"Segoe UI",Roboto,"Helvetica Neue","DejaVu Sans",sans-serif;font-size:13px}
.dag .dim{font-size:11px}.dag .head{font-size:15px;font-weight:600}.dag .title{font-weight:600}
.dag .edge{fill:none;stroke-width:1.4}.dag .box{stroke-width:1.3}.dag .may>.box{stroke-dasharray:5 3}
.dag .opaque>.box{stroke-dasharray:2 2}.dag .running>.box,.dag .failed>.box,.dag .lost>.box{stroke-width:2.4}
.dag .skipped{opacity:.45}.dag .halo{paint-order:stroke;stroke-width:4px;stroke-linejoin:round}"""
_COLOURS = """.dag .paper{fill:%(paper)s}.dag .halo{stroke:%(paper)s}.dag text{fill:%(ink)s}
.dag .dim{fill:%(dim)s}.dag .edge{stroke:%(line)s}
.dag .tip{fill:%(line)s}.dag .box{fill:%(block)s;stroke:%(block_line)s}
.dag .call>.box{fill:%(call)s;stroke:%(call_line)s}
.dag .input>.box,.dag .return>.box{fill:%(io)s;stroke:%(io_line)s}
.dag .opaque>.box{fill:%(bad)s;stroke:%(bad_line)s}.dag .running>.box{fill:%(warn)s;stroke:%(warn_line)s}
.dag .done>.box,.dag .cached>.box{stroke:%(io_line)s}
.dag .failed>.box,.dag .lost>.box{fill:%(bad)s;stroke:%(bad_line)s}"""
_STYLE = f"{_SHAPE}{_COLOURS % _LIGHT}@media (prefers-color-scheme:dark){{{_COLOURS % _DARK}}}".replace("\n", "")


def render(dag: DAG) -> str:
    """The picture as text."""
    root = layout(dag)
    title, summary = head(dag)
    top = 52.0
    width = max(root.width, len(title) * 8.2, len(summary) * 6.2) + 2 * PAD
    height = root.height + top + PAD
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="dag" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(title, quote=True)}">',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{width:.0f}" height="{height:.0f}" rx="10"/>',
        f'<text class="head" x="{PAD + 4:.0f}" y="26">{escape(title)}</text>',
        f'<text class="dim" x="{PAD + 4:.0f}" y="43">{escape(summary.replace("   ", " · "))}</text>',
        f'<g transform="translate({(width - root.width) / 2 - PAD:.1f},{top - PAD:.0f})">',
    ]
    _content(root, out)
    out.append("</g></svg>")
    return "\n".join(out)


def _content(box: Box, out: list[str]) -> None:
    for line in box.lines:
        _edge(line, out)
    for child in box.inside:
        _box(child, out)
    _edge_names(box.lines, out)


def _box(box: Box, out: list[str]) -> None:
    node = box.node
    if node is None:
        return
    out.append(
        f'<g class="{node.kind} {node.certainty} {node.status}" data-id="{escape(node.id)}">'
        f"<title>{escape(_tooltip(node))}</title>"
        f'<rect class="box" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" '
        f'rx="{8 if node.kind in ("call", "input", "return") else 4}"/>'
    )
    limit = int((box.width - 16) / CHAR)
    middle, right = box.x + box.width / 2, box.x + box.width - 12
    if box.inside:
        head_y = box.y + HEADER - 15
        out.append(_text(_cut(node.title, limit), box.x + 12, head_y, "title"))
        if len(note(node)) * 6 < box.width - 24 - len(node.title) * CHAR:
            out.append(_text(escape(note(node)), right, head_y, "dim", "end"))
    elif node.kind in ("input", "return"):
        out.append(_text(_cut(node.name, limit), middle, box.y + 20, "name", "middle"))
    else:
        out.append(_text(_cut(node.title, limit), middle, box.y + 20, "title", "middle"))
        out.append(_text(_cut(note(node), int((box.width - 10) / 5.8)), middle, box.y + 36, "dim", "middle"))
    _content(box, out)
    out.append("</g>")


def _text(text: str, x: float, y: float, role: str, anchor: str = "start") -> str:
    return f'<text class="{role}" text-anchor="{anchor}" x="{x:.1f}" y="{y:.1f}">{text}</text>'


def _tooltip(node: Node) -> str:
    lines = [node.title, f"{node.file}:{node.line}"]
    if node.condition:
        lines.append(f"when: {node.condition}")
    if node.reason:
        lines.append(f"{node.certainty}: {node.reason}")
    if node.code:
        lines.append(node.code)
    return "\n".join(lines)


def _cut(text: str, limit: int) -> str:
    return escape(text if len(text) <= limit else text[: max(1, limit - 1)] + "…")


def _edge(line: Line, out: list[str]) -> None:
    (x, y), *rest = line.points
    path = [f"M{x:.1f},{y:.1f}"]
    for i, (nx, ny) in enumerate(rest):
        end = ny - 5 if i == len(rest) - 1 else ny
        bend = (ny - y) / 2
        path.append(f"C{x:.1f},{y + bend:.1f} {nx:.1f},{ny - bend:.1f} {nx:.1f},{end:.1f}")
        x, y = nx, ny
    out.append(f'<path class="edge" d="{" ".join(path)}"/>')
    out.append(f'<path class="tip" d="M{x:.1f},{y:.1f} l-4,-7 l8,0 z"/>')


def _edge_names(lines: list[Line], out: list[str]) -> None:
    """Each variable once for each box that it leaves; beside the arrow, nearer to where it arrives."""
    said: set[tuple[tuple[float, float], str]] = set()
    for line in lines:
        text = ", ".join(line.names[:3]) + ("…" if len(line.names) > 3 else "")
        if not text or (line.points[0], text) in said:
            continue
        said.add((line.points[0], text))
        (x, y), (nx, ny) = line.points[0], line.points[1]
        out.append(_text(_cut(text, 24), x + (nx - x) * 0.6 + 6, y + (ny - y) * 0.6 + 3, "dim halo"))
