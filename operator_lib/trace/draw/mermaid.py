"""A Mermaid flowchart: for Markdown pages and pull requests."""

from __future__ import annotations

from operator_lib.trace.dag import DAG, Node
from operator_lib.trace.draw.picture import Picture

_SHAPES = {"input": ("([", "])"), "return": ("([", "])"), "branch": ("{{", "}}")}
_CLASSES = """  classDef call fill:#eef4ff,stroke:#4f7cd8,color:#1f2430
  classDef may fill:#eef4ff,stroke:#4f7cd8,color:#1f2430,stroke-dasharray:5 3
  classDef opaque fill:#fdecec,stroke:#d23f3f,color:#1f2430,stroke-dasharray:2 2
  classDef io fill:#eefaf2,stroke:#4aa36c,color:#1f2430"""


def render(dag: DAG) -> str:
    """The flowchart as text."""
    picture = Picture(dag)
    lines = ["flowchart TD"]
    _inside(picture, None, "  ", lines)
    for arrows in picture.arrows.values():
        for arrow in arrows:
            label = f"|{_text(', '.join(arrow.names[:3]))}| " if arrow.names else ""
            lines.append(f"  n{arrow.source} -->{label or ' '}n{arrow.target}")
    lines.append(_CLASSES)
    return "\n".join(lines) + "\n"


def _inside(picture: Picture, parent: str | None, indent: str, lines: list[str]) -> None:
    for node in picture.inside.get(parent, []):
        if picture.inside.get(node.id):
            lines.append(f'{indent}subgraph n{node.id}["{_text(node.title)}"]')
            _inside(picture, node.id, indent + "  ", lines)
            lines.append(f"{indent}end")
        else:
            start, end = _SHAPES.get(node.kind, ("[", "]"))
            lines.append(f'{indent}n{node.id}{start}"{_text(node.title)}"{end}:::{_class(node)}')


def _class(node: Node) -> str:
    if node.certainty == "opaque":
        return "opaque"
    if node.kind in ("input", "return"):
        return "io"
    return "may" if node.certainty == "may" else "call"


def _text(text: str) -> str:
    for old, new in (("&", "#amp;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("|", "#124;")):
        text = text.replace(old, new)
    return " ".join(text.split())
