"""What was observed beside what the graph says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.models.observed import Call
from operator_lib.trace.dag import DAG, Node


@dataclass(frozen=True, slots=True)
class Comparison:
    """`missing`: calls that no node stands for. `wrong`: nodes that claim to run always, and did not."""

    calls: int
    missing: tuple[str, ...]
    wrong: tuple[str, ...]


def compare(dag: DAG, calls: Sequence[Call]) -> Comparison:
    """Every call must be a node inside a node of the call around it; an exact node must have run with its parent."""
    inside = _inside(dag)
    nodes: list[frozenset[str | None]] = []
    ran: dict[int, set[str]] = defaultdict(set)
    missing: list[str] = []
    for call in calls:
        if call.around is None:
            nodes.append(frozenset([None]))
            continue
        ran[call.around].add(call.path)
        found = [n for around in nodes[call.around] for n in inside[around] if n.operator == call.path]
        nodes.append(frozenset(_body(dag, n) for n in found))
        if not found and nodes[call.around]:  # the first that is missing, not everything below it
            missing.append(f"{call.path} in {calls[call.around].path or 'the model'}")
        elif not found:
            missing.append(f"{call.path} (below)")
    certain = {n.id for n in dag.nodes if _certain(dag, n)}
    wrong = {
        f"{n.operator} at {n.file}:{n.line}"
        for i, around in enumerate(nodes)
        if len(around) == 1
        for n in inside[next(iter(around))]
        if n.id in certain and n.operator not in ran[i]
    }
    return Comparison(len(calls) - 1, tuple(missing), tuple(sorted(wrong)))


def _inside(dag: DAG) -> dict[str | None, list[Node]]:
    """The calls of operators by the call of an operator that is nearest around them."""
    found: dict[str | None, list[Node]] = defaultdict(list)
    for node in dag.nodes:
        if node.operator is not None:
            found[_around(dag, node)].append(node)
    return found


def _around(dag: DAG, node: Node) -> str | None:
    parent = node.parent
    while parent is not None and dag.node(parent).operator is None:
        parent = dag.node(parent).parent
    return parent


def _body(dag: DAG, node: Node) -> str | None:
    """The node that holds what happens inside: the one around it that it leads back to, or itself."""
    if not node.reason.startswith("recursion to"):
        return node.id
    target = node.reason.removeprefix("recursion to ")
    return None if target == "itself" else target


def _certain(dag: DAG, node: Node) -> bool:
    """Whether it says that it runs whenever the operator around it does."""
    while node.certainty == "exact":
        parent = dag.node(node.parent) if node.parent is not None else None
        if parent is None or parent.operator is not None:
            return True
        node = parent
    return False
