"""A difference in a few lines: by operator, with the places to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from operator_lib.trace.dag import Node

if TYPE_CHECKING:
    from operator_lib.trace.diff import Change, DagDiff

OWN = "own code"
_WIDEST = 24
_LONGEST = 50


def summarise(diff: DagDiff, limit: int = 12) -> list[str]:
    """``~ split   via helpers.py:12 (stratify)``: one line for each operator that is not what it was."""
    rows: list[tuple[str, str, str]] = []
    rows += [("=", new, f"was {old}") for old, new in diff.renamed]
    rows += [("~", label, text) for label, text in _changed(diff)]
    rows += [(">", _title(c.after), ", ".join(c.reasons)) for c in diff.moved]
    rows += [("+", _title(n), f"new ({n.file}:{n.line})") for n in _visible(diff.added)]
    rows += [("-", _title(n), "gone") for n in _visible(diff.removed)]
    width = max((len(label) for _, label, _ in rows if len(label) <= _WIDEST), default=0)
    lines = [line for mark, label, text in rows[:limit] for line in _folded(mark, label, text, width)]
    return [*lines, f"and {len(rows) - limit} more"] if len(rows) > limit else lines


def _folded(mark: str, label: str, text: str, width: int) -> list[str]:
    """Reasons that do not fit beside one another stand below one another."""
    parts = text.split(", via ") if len(text) > _LONGEST else [text]
    parts = [parts[0], *(f"via {part}" for part in parts[1:])]
    return [f"{mark} {label:<{width}}   {parts[0]}", *(f"{'':<{width + 5}}{part}" for part in parts[1:])]


def _changed(diff: DagDiff) -> list[tuple[str, str]]:
    """The operators with changes in them, and why; plain code that came or went is a change of its operator."""
    reasons: dict[str, list[str]] = {}
    places: dict[str, list[Node]] = {}
    for change in diff.changed:
        label = _label(change, diff.name)
        said = reasons.setdefault(label, [])
        for reason in change.reasons:
            if reason == OWN:
                places.setdefault(label, []).append(change.after)
            elif reason not in said:
                said.append(reason)
    for owner, node in diff.loose:
        reasons.setdefault(owner or diff.name, [])
        places.setdefault(owner or diff.name, []).append(node)
    for owner, node in diff.dropped:
        reasons.setdefault(owner or diff.name, []).append(f"code gone (was {node.file}:{node.line})")
    found: list[tuple[str, str]] = []
    for label, said in reasons.items():
        own = [f"{OWN} ({_lines(places[label])})"] if label in places else []
        found.append((label, ", ".join([*own, *said])))
    return found


def _lines(nodes: Sequence[Node]) -> str:
    """``pipeline.py:12, 20``"""
    files: dict[str, list[int]] = {}
    for node in nodes:
        files.setdefault(node.file, []).append(node.line)
    return "; ".join(f"{file}:{', '.join(map(str, sorted(set(lines))))}" for file, lines in files.items())


def _label(change: Change, root: str) -> str:
    """A call goes by its operator, everything else by the operator that it is the code of."""
    return _title(change.after) if change.after.kind == "call" else change.owner or root


def _title(node: Node) -> str:
    return node.operator or node.name if node.kind == "call" else node.title


def _visible(nodes: Sequence[Node]) -> list[Node]:
    """Calls and regions; a parameter is told with the signature, plain code with its operator."""
    ids = {n.id for n in nodes}
    return [n for n in nodes if n.parent not in ids and n.kind not in ("input", "code", "return")]
