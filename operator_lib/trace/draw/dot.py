"""A Graphviz digraph, with the boxes as clusters."""

from __future__ import annotations

from operator_lib.trace.dag import DAG, Node
from operator_lib.trace.draw import measure
from operator_lib.trace.draw.captions import measured
from operator_lib.trace.draw.picture import Arrow, Picture

_HEAD = """  compound=true
  rankdir=TB
  node [shape=box, style="rounded,filled", fillcolor="#edf3fd", color="#5b82c9", fontname="Helvetica", fontsize=11]
  edge [color="#6f7a8c", fontcolor="#5d6675", fontname="Helvetica", fontsize=9]
  graph [fontname="Helvetica", fontsize=11, color="#c9ced8", style="rounded"]"""
_COLOURS = {
    "done": ("#e6f5ef", "#00795a"), "running": ("#fff4d6", "#a86a00"), "failed": ("#fde6dc", "#c23b00"),
    "cached": ("#e4f2fb", "#2477ad"), "lost": ("#f8e8f1", "#8f3f73"), "skipped": ("#ffffff", "#b3bac6"),
}  # fmt: skip


def render(dag: DAG) -> str:
    """The digraph as text."""
    picture = Picture(dag)
    lines = [f"digraph {_quoted(dag.name)} {{", _HEAD, f"  label={_quoted(dag.signature)}", "  labelloc=t"]
    _inside(picture, None, "  ", lines)
    lines += [_arrow(picture, arrow) for arrows in picture.arrows.values() for arrow in arrows]
    return "\n".join([*lines, "}"]) + "\n"


def _inside(picture: Picture, parent: str | None, indent: str, lines: list[str]) -> None:
    for node in picture.inside.get(parent, []):
        if picture.inside.get(node.id):
            lines.append(f"{indent}subgraph {_quoted('cluster_' + node.id)} {{")
            lines.append(f"{indent}  label={_quoted(_title(picture, node))}")
            if node.certainty == "may":
                lines.append(f'{indent}  style="rounded,dashed"')
            _inside(picture, node.id, indent + "  ", lines)
            lines.append(f"{indent}}}")
        else:
            lines.append(f"{indent}{_quoted(node.id)} [label={_quoted(_title(picture, node))}{_look(node)}]")


def _title(picture: Picture, node: Node) -> str:
    hidden = picture.hidden(node)
    reason = [f"not followed: {node.reason}"] if node.certainty == "opaque" else []
    return " · ".join([node.title, *reason, *measured(node), *([f"+{hidden}"] if hidden else [])])


def _look(node: Node) -> str:
    if node.kind in ("input", "return"):
        return ', shape=ellipse, fillcolor="#eef3f0", color="#8aa396"'
    opaque = node.certainty == "opaque"
    fill, line = _COLOURS.get(node.status, ("#fff3ee", "#c23b00") if opaque else ("", ""))
    border = {"may": "dashed", "opaque": "dotted"}.get(node.certainty)
    look = f', fillcolor="{fill}", color="{line}"' if fill else ""
    return look + (f', style="rounded,filled,{border}"' if border else "")


def _arrow(picture: Picture, arrow: Arrow) -> str:
    """Graphviz joins leaves; an arrow to a cluster is cut at its border."""
    tail, head = _leaf(picture, arrow.source, -1), _leaf(picture, arrow.target, 0)
    look: list[str] = []
    if arrow.names or arrow.assumed:
        look.append(f"label={_quoted(', '.join(arrow.names[:3]) + ' ?' * arrow.assumed)}")
    if arrow.kind == "effect":
        look.append("style=dotted")
    elif arrow.assumed:
        look.append("style=dashed")
    elif arrow.kind == "control":
        look.append('style=dashed, color="#b3bac6", arrowsize=0.6, constraint=false')
    if tail != arrow.source:
        look.append(f"ltail={_quoted('cluster_' + arrow.source)}")
    if head != arrow.target:
        look.append(f"lhead={_quoted('cluster_' + arrow.target)}")
    return f"  {_quoted(tail)} -> {_quoted(head)}" + (f" [{', '.join(look)}]" if look else "")


def _leaf(picture: Picture, id: str, which: int) -> str:
    while inside := picture.inside.get(id):
        id = inside[which].id
    return id


def _quoted(text: str) -> str:
    # Backslashes too: \N and \G would be replaced by names.
    return '"' + measure.drawable(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
