"""A Mermaid flowchart: for Markdown pages and pull requests."""

from __future__ import annotations

import re

from operator_lib.trace.dag import DAG, Node
from operator_lib.trace.draw import measure
from operator_lib.trace.draw.captions import measured
from operator_lib.trace.draw.picture import Arrow, Picture

_SHAPES = {"input": ("([", "])"), "return": ("([", "])")}
# Their names get a prefix: ``call`` and ``class`` are words of the language.
_BORDERS = {"may": "stroke-dasharray:6 3", "opaque": "fill:#fff3ee,stroke:#c23b00,stroke-dasharray:2 3"}
_FILLS = {
    "call": ("#edf3fd", "#5b82c9"), "io": ("#eef3f0", "#8aa396"), "region": ("#f6f7f9", "#c9ced8"),
    "done": ("#e6f5ef", "#00795a"), "running": ("#fff4d6", "#a86a00"), "failed": ("#fde6dc", "#c23b00"),
    "cached": ("#e4f2fb", "#2477ad"), "lost": ("#f8e8f1", "#8f3f73"), "skipped": ("#ffffff", "#b3bac6"),
}  # fmt: skip


def render(dag: DAG) -> str:
    """The flowchart as text."""
    picture = Picture(dag)
    lines = ["flowchart TD"]
    looks: dict[str, list[str]] = {}
    _inside(picture, None, "  ", lines, looks)
    arrows = [arrow for found in picture.arrows.values() for arrow in found]
    lines += [f"  {_id(picture, a.source)} {_line(a)} {_id(picture, a.target)}" for a in arrows]
    if quiet := [str(i) for i, a in enumerate(arrows) if a.kind == "control"]:
        lines.append(f"  linkStyle {','.join(quiet)} stroke:#b3bac6,stroke-width:1px")
    lines += [f"  classDef is_{name} fill:{fill},stroke:{line},color:#1c2230" for name, (fill, line) in _FILLS.items()]
    lines += [f"  classDef is_{name} {border}" for name, border in _BORDERS.items()]
    lines += [f"  class {','.join(names)} is_{look}" for look, names in sorted(looks.items())]
    return "\n".join(lines) + "\n"


def _inside(picture: Picture, parent: str | None, indent: str, lines: list[str], looks: dict[str, list[str]]) -> None:
    for node in picture.inside.get(parent, []):
        name = _id(picture, node.id)
        for look in _looks(node):
            looks.setdefault(look, []).append(name)
        if picture.inside.get(node.id):
            lines.append(f'{indent}subgraph {name}["{_title(picture, node)}"]')
            _inside(picture, node.id, indent + "  ", lines, looks)
            lines.append(f"{indent}end")
        else:
            start, end = _SHAPES.get(node.kind, ("[", "]"))
            lines.append(f'{indent}{name}{start}"{_title(picture, node)}"{end}')


def _id(picture: Picture, id: str) -> str:
    """A name of the flowchart; never one of its own words, such as ``end``."""
    return f"n{id}" if re.fullmatch(r"[A-Za-z0-9]+", id) else f"n_{picture.by_id[id].index}"


def _looks(node: Node) -> list[str]:
    kind = "io" if node.kind in ("input", "return") else "call" if node.kind == "call" else "region"
    looks = [kind] if node.status not in _FILLS or kind == "io" else [node.status]
    return looks + [node.certainty] * (node.certainty in _BORDERS)


def _title(picture: Picture, node: Node) -> str:
    hidden = picture.hidden(node)
    reason = [f"not followed: {node.reason}"] if node.certainty == "opaque" else []
    return _text(" · ".join([node.title, *reason, *measured(node), *([f"+{hidden}"] if hidden else [])]))


def _line(arrow: Arrow) -> str:
    names = ", ".join(arrow.names[:3]) + (" ?" if arrow.assumed else "")
    line = "-->" if arrow.kind == "data" and not arrow.assumed else "-.->"
    return f'{line}|"{_text(names)}"|' if names else line


def _text(text: str) -> str:
    """Every letter as it is, every sign by its number: a quote, a backtick or a ``#`` would mean something."""
    text = measure.drawable(text).strip() or " "
    text = re.sub(r"[^\w .,:=()/·×+]", lambda sign: f"#{ord(sign[0])};", text)
    text = re.sub(r"direction (?=[TBLR])", "direction#32;", text)  # read as a command even between quotes
    return re.sub(r"^(\d+)\.|^\+", lambda sign: f"{sign[1] or ''}#{ord(sign[0][-1])};", text)  # a list, in Markdown
