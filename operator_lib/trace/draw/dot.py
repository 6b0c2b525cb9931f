"""A Graphviz digraph, with the boxes as clusters."""

from __future__ import annotations

from operator_lib.trace.dag import DAG, Node
from operator_lib.trace.draw.picture import Picture

_HEAD = """  compound=true
  rankdir=TB
  node [shape=box, style="rounded,filled", fillcolor="#eef4ff", color="#4f7cd8", fontname="Helvetica", fontsize=11]
  edge [color="#9aa3b2", fontname="Helvetica", fontsize=9]
  graph [fontname="Helvetica", fontsize=11, color="#c3c9d4", style=rounded]"""


def render(dag: DAG) -> str:
    """The digraph as text."""
    picture = Picture(dag)
    lines = [f"digraph {_quoted(dag.name)} {{", _HEAD, f"  label={_quoted(dag.signature)}", "  labelloc=t"]
    _inside(picture, None, "  ", lines)
    for arrows in picture.arrows.values():
        for arrow in arrows:
            lines.append(_arrow(picture, arrow.source, arrow.target, ", ".join(arrow.names[:3])))
    lines.append("}")
    return "\n".join(lines) + "\n"


def _inside(picture: Picture, parent: str | None, indent: str, lines: list[str]) -> None:
    for node in picture.inside.get(parent, []):
        if picture.inside.get(node.id):
            lines.append(f"{indent}subgraph {_quoted('cluster_' + node.id)} {{")
            lines.append(f"{indent}  label={_quoted(node.title)}")
            _inside(picture, node.id, indent + "  ", lines)
            lines.append(f"{indent}}}")
        else:
            lines.append(f"{indent}{_quoted(node.id)} [label={_quoted(node.title)}{_look(node)}]")


def _look(node: Node) -> str:
    if node.certainty == "opaque":
        return ', fillcolor="#fdecec", color="#d23f3f", style="rounded,filled,dotted"'
    if node.kind in ("input", "return"):
        return ', shape=ellipse, fillcolor="#eefaf2", color="#4aa36c"'
    return ', style="rounded,filled,dashed"' if node.certainty == "may" else ""


def _arrow(picture: Picture, source: str, target: str, name: str) -> str:
    """Graphviz joins leaves; an arrow to a cluster is cut at its border."""
    tail, head = _leaf(picture, source, -1), _leaf(picture, target, 0)
    look = [f"label={_quoted(name)}"] if name else []
    if tail != source:
        look.append(f"ltail={_quoted('cluster_' + source)}")
    if head != target:
        look.append(f"lhead={_quoted('cluster_' + target)}")
    return f"  {_quoted(tail)} -> {_quoted(head)}" + (f" [{', '.join(look)}]" if look else "")


def _leaf(picture: Picture, id: str, which: int) -> str:
    while inside := picture.inside.get(id):
        id = inside[which].id
    return id


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'
