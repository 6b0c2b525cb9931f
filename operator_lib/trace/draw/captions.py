"""What is written in a box."""

from __future__ import annotations

from dataclasses import dataclass

from operator_lib.trace.dag import Node
from operator_lib.trace.draw import measure
from operator_lib.trace.draw.picture import Picture

_WIDEST, ICON, BADGE = 300.0, 18.0, 10.0


@dataclass(frozen=True, slots=True)
class Caption:
    """Name and kind in the first line, a note in the second; in a header all in one."""

    name: str = ""
    kind: str = ""
    """The class of the operator, less loud than its name."""
    note: str = ""
    badge: str = ""
    """How many calls are hidden inside."""
    icon: str = ""
    """A status, or ``repeat`` for a loop."""
    first: float = 0.0
    """Width of name and kind."""
    width: float = 0.0


def caption(picture: Picture, node: Node | None) -> Caption:
    """The text of a node's box."""
    if node is None:
        return Caption()
    header = bool(picture.inside.get(node.id))
    name, kind = _names(picture, node)
    name = measure.cut(measure.drawable(name), _WIDEST, measure.TITLE)
    kind = measure.cut(measure.drawable(kind), _WIDEST / 2)
    note = (
        ""
        if node.kind in ("input", "return")
        else measure.cut(measure.drawable(_note(picture, node)), _WIDEST, measure.SMALL)
    )
    hidden = picture.hidden(node)
    badge = f"+{hidden}" if hidden else ""
    icon = icon_of(node)
    first = measure.width(name, measure.TITLE) + (measure.width(kind) + 7 if kind else 0)
    line = first + (ICON if icon else 0) + (measure.width(badge, measure.SMALL) + 2 * BADGE if badge else 0)
    second = measure.width(note, measure.SMALL)
    return Caption(name, kind, note, badge, icon, first, line + second + 16 if header else max(line, second))


def _names(picture: Picture, node: Node) -> tuple[str, str]:
    """The path of the operator below the one whose box it stands in, and its class."""
    if node.kind != "call" or node.operator is None:
        return (f"{node.name} (not read)" if node.kind == "code" else node.name), ""
    path = node.operator or "self"
    around = next((picture.by_id[id] for id in picture.path(node.id)[-2::-1] if picture.by_id[id].kind == "call"), None)
    if around is not None and around.operator and path.startswith(around.operator + "."):
        path = path[len(around.operator) + 1 :]
    return path, node.name


def icon_of(node: Node) -> str:
    """The sign before the name."""
    if node.kind in ("input", "return"):
        return ""
    if node.kind == "loop":
        return "repeat"
    return node.status if node.kind == "call" and node.status != "pending" else ""


def _note(picture: Picture, node: Node) -> str:
    place = f":{node.line}" if node.file == picture.dag.file else f"{node.file.rpartition('/')[2]}:{node.line}"
    parts = [measure.drawable(place)]
    if node.certainty == "opaque":
        parts.append(f"not followed: {node.reason}")
    elif node.reason.startswith("recursion"):
        parts.append("recursion")
    elif node.kind == "loop" and node.reason.endswith("unrolled"):
        parts.append(node.reason.replace("known children, unrolled", "children"))
    elif node.certainty == "may" and node.kind == "call" and node.status == "pending" and not _arm(picture, node):
        parts.append("may run")
    if node.extra and isinstance(order := node.extra.get("order"), str):  # what it may overlap with
        parts.append(measure.drawable(order))
    return " · ".join(parts + measured(node))


def _arm(picture: Picture, node: Node) -> bool:
    """Whether the box around a node says already that it may run."""
    around = picture.path(node.id)[:-1]
    return bool(around) and picture.by_id[around[-1]].certainty == "may"


def measured(node: Node) -> list[str]:
    """What a run has told of a node."""
    found = [node.status] if node.status not in ("pending", "done") else []
    if node.status in ("running", "failed") and node.iteration:
        found.append(f"round {node.iteration}")
    if node.duration is not None and node.status != "cached":
        found.append(seconds(node.duration))
    if node.count > 1:
        found.append(f"×{node.count}")
    return found if node.kind == "call" or node.status in ("running", "failed", "lost", "skipped") else []


def seconds(value: float) -> str:
    """A duration for people."""
    if value < 0.0995:
        return f"{value * 1000:.0f} ms" if value >= 0.001 else "<1 ms"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(int(value), 60)
    return f"{minutes}:{rest:02d} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
