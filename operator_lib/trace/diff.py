"""Two graphs compared: what was added, removed, or changed, and through what."""

from __future__ import annotations

import ast
import textwrap
from dataclasses import dataclass

from operator_lib.trace.dag import DAG, Node
from operator_lib.trace.ids import normal


@dataclass(frozen=True, slots=True)
class Change:
    """A node that is in both graphs and not the same. `reasons`: ``own code``, ``via helpers.py:12 (stratify)``, ..."""

    before: Node
    after: Node
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DagDiff:
    """The difference of two graphs; false when there is none. Prints one line a node."""

    added: tuple[Node, ...]
    removed: tuple[Node, ...]
    changed: tuple[Change, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def __str__(self) -> str:
        lines = [f"~ {c.after.title}   changed: {', '.join(c.reasons)}" for c in self.changed]
        lines += [f"+ {n.title}   new ({n.file}:{n.line})" for n in self.added]
        lines += [f"- {n.title}   gone (was {n.file}:{n.line})" for n in self.removed]
        return "\n".join(lines) or "no difference"


def diff(before: DAG, after: DAG) -> DagDiff:
    """`DAG.diff`."""
    pairs = _paired(before, after)
    matched = {a.id for _, a in pairs}
    kept = {b.id for b, _ in pairs}
    changed: list[Change] = []
    for old, new in pairs:
        reasons = _reasons(old, new)
        if reasons:
            changed.append(Change(old, new, reasons))
    added = tuple(n for n in after.nodes if n.id not in matched)
    removed = tuple(n for n in before.nodes if n.id not in kept)
    return DagDiff(added, removed, tuple(changed))


def _paired(before: DAG, after: DAG) -> list[tuple[Node, Node]]:
    """The same node in both: by id, else by what it is and where it stands in an already paired parent."""
    old, new = {n.id: n for n in before.nodes}, {n.id: n for n in after.nodes}
    pairs = [(old[id], new[id]) for id in old if id in new]
    partner: dict[str | None, str | None] = {None: None} | {id: id for id in old if id in new}
    queue: list[str | None] = [None, *(n.id for n in before.nodes)]
    for parent in queue:
        if parent not in partner:
            continue
        left = [n for n in before.children_of(parent) if n.id not in new]
        right = [n for n in after.children_of(partner[parent]) if n.id not in old]
        for one, other in _alike(left, right):
            pairs.append((one, other))
            partner[one.id] = other.id
    return sorted(pairs, key=lambda p: p[1].index)


def _alike(left: list[Node], right: list[Node]) -> list[tuple[Node, Node]]:
    found: list[tuple[Node, Node]] = []
    rest = list(right)
    for node in left:
        for strict in (True, False):
            same = [n for n in rest if _kindred(node, n, strict)]
            if same:
                found.append((node, same[0]))
                rest.remove(same[0])
                break
    return found


def _kindred(a: Node, b: Node, strict: bool) -> bool:
    if a.kind != b.kind:
        return False
    if a.kind == "call":
        return a.operator == b.operator and (a.operator is not None or a.name == b.name)
    if a.kind == "input":
        return a.name == b.name
    return a.outputs == b.outputs if strict else True


def _reasons(old: Node, new: Node) -> tuple[str, ...]:
    found: list[str] = []
    if old.id != new.id or _meaning(old) != _meaning(new):
        found.append("own code")
    if old.name != new.name and old.kind == "call":
        found.append(f"was {old.name}")
    if (
        (old.certainty, old.condition and _normal_text(old, old.condition))
        != (
            new.certainty,
            new.condition and _normal_text(new, new.condition),
        )
        and "own code" not in found
        and old.kind == "call"
    ):
        found.append(f"runs under another condition: {new.condition or new.certainty}")
    found.extend(_helpers(old, new))
    return tuple(found)


def _meaning(node: Node) -> str:
    return _normal_text(node, node.code) if node.kind != "input" else ""


def _normal_text(node: Node, text: str) -> str:
    """Source with formatting, comments and the names of its variables taken out."""
    for candidate in (text, f"({text})", f"{text}\n    pass", f"async def _():\n{textwrap.indent(text, '    ')}"):
        try:
            tree = ast.parse(textwrap.dedent(candidate))
        except (SyntaxError, ValueError):
            continue
        names = {n.partition(".")[0] for n in (*node.inputs, *node.outputs) if n.isidentifier()}
        names |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        return normal(tree, names)
    return " ".join(text.split())


def _helpers(old: Node, new: Node) -> list[str]:
    """Functions that a node uses and that are not what they were."""
    before, after = _by_name(old), _by_name(new)
    found: list[str] = []
    for name, (place, mark) in after.items():
        if name in before and before[name][1] != mark:
            found.append(f"via {place} ({name[1]})")
    # One that only calls a changed one has changed through it: name those too, innermost last.
    return found


def _by_name(node: Node) -> dict[tuple[str, str], tuple[str, str]]:
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for use in node.uses:
        place, name, mark = use.rsplit(" ", 2)
        found[place.rpartition(":")[0], name] = (place, mark)
    return found
