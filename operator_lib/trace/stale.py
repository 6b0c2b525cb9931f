"""What a change of the source means for stored outputs: which calls run again, which perhaps, which do not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from operator_lib.trace.dag import DAG, Node
from operator_lib.trace.diff import DagDiff
from operator_lib.trace.summary import OWN


@dataclass(frozen=True, slots=True)
class Stale:
    """Paths of operators whose outputs are stored, in program order."""

    again: tuple[str, ...] = ()
    """Their own code, or what it reaches, is another."""
    perhaps: tuple[str, ...] = ()
    """They come after something that is another: they run again when that gives them other values."""
    stays: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.again or self.perhaps or self.stays)

    def __str__(self) -> str:
        parts = [f"{_listed(self.again)} will run again"] if self.again else []
        if self.perhaps:
            parts = [f"{parts[0]}, and {_listed(self.perhaps)}" if parts else f"{_listed(self.perhaps)} will run again"]
            parts[0] += " if given other values"
        if self.stays:
            parts.append(f"{_listed(self.stays)} {'stays' if len(self.stays) == 1 else 'stay'}")
        return "; ".join(parts)


def stale(dag: DAG, difference: DagDiff, stored: Collection[str]) -> Stale:
    """What `difference`, the way from the live graph to `dag`, means for the operators at the paths `stored`."""
    called = list(dict.fromkeys(n.operator for n in dag.nodes if n.kind == "call" and n.operator is not None))
    paths = ["", *called] if "" in stored and "" not in called else called
    edited = _edited(dag, difference)
    again = {path for path in paths if path in stored and any(_inside(owner, path) for owner in edited)}
    reached = _reached(dag, difference, again)
    mine = [path for path in paths if path in stored]
    perhaps = [path for path in mine if path in reached and path not in again]
    return Stale(
        tuple(path or dag.name for path in mine if path in again),
        tuple(path or dag.name for path in perhaps),
        tuple(path or dag.name for path in mine if path not in again and path not in perhaps),
    )


def _edited(dag: DAG, difference: DagDiff) -> set[str]:
    """Operators (by path) whose code says something else, or uses something that does."""
    found = {owner for owner, _ in (*difference.loose, *difference.dropped)}
    found |= {change.owner for change in (*difference.changed, *difference.moved) if change.after.kind != "call"}
    for change in difference.changed:
        if change.after.kind == "call":
            # The text of a call belongs to the code around it, what the call comes to, to the operator.
            found |= {_around(dag, change.after)} if OWN in change.reasons else set()
            found |= {change.after.operator or ""} if set(change.reasons) - {OWN} else set()
    found |= {_around(dag, node) for node in difference.added if node.kind == "call"}
    return found


def _around(dag: DAG, node: Node) -> str:
    """Path of the operator whose code asks for a call."""
    at = node.parent
    while at is not None:
        one = dag.node(at)
        if one.kind == "call" and one.operator is not None:
            return one.operator
        at = one.parent
    return ""


def _inside(path: str, outer: str) -> bool:
    return not outer or path == outer or path.startswith(f"{outer}.")


def _reached(dag: DAG, difference: DagDiff, again: Collection[str]) -> set[str]:
    """Paths of operators to which a value flows that may be another one now."""
    changed = {change.after.id for change in difference.changed} | {node.id for node in difference.added}
    changed |= {node.id for node in dag.nodes if node.kind == "call" and node.operator in again}
    flows: dict[str, list[str]] = {}
    for edge in dag.edges:
        if edge.kind != "control":
            flows.setdefault(edge.source, []).append(edge.target)
    left, seen = list(changed), set(changed)
    while left:
        for target in flows.get(left.pop(), ()):
            if target not in seen:
                seen.add(target)
                left.append(target)
    return {node.operator for node in dag.nodes if node.id in seen and node.kind == "call" and node.operator}


def _listed(paths: Collection[str]) -> str:
    shown = list(paths)[:8]
    return ", ".join(shown) + (f" and {len(paths) - 8} more" if len(paths) > 8 else "")
