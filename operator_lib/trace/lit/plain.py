"""Code, inputs, returns, and regions of nothing else: what became of them is told from the calls.

* Before a call that has begun they are done. Behind the last one they are done when what is around them came to its
  end, unless a call further down did not run: then the last way out before it was taken, and the rest is skipped.
* A region without calls is a way out that was not taken, unless that is the only way to explain what ran.
* When an exception came from a line of the code itself, the node with that line has failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from operator_lib.trace.dag import DAG, Node
from operator_lib.trace.lit.shape import FLOATING

# Such calls need not run when the program comes past them.
_OPTIONAL = ("boolop", "compare", "assert", "ternary", "comprehension if", "generator", *FLOATING)


@dataclass(slots=True)
class Settled:
    """What is shown of a node."""

    status: str = "pending"
    count: int = 0
    started: float | None = None
    duration: float | None = None
    iteration: int = 0


def settle(
    dag: DAG, found: dict[str, Settled], children: Sequence[Node], latest: int, status: str, over: bool, line: int
) -> None:
    """The nodes without calls among `children`.

    Args:
        latest: the last child in which something was called, -1 without any.
        status: of what is around them; `over`: nothing more can happen there.
        line: where the code around them raised an exception, 0 when it did not.
    """
    silent = [not calls(dag, node) for node in children]
    rest = "skipped" if over else "pending"
    entered = status not in ("pending", "skipped", "cached")
    end, way_out = _end(dag, found, children, silent, latest) if status == "done" and over else (latest, -1)
    for i, node in enumerate(children):
        if not silent[i] or (node.certainty == "opaque" and found[node.id].count):
            continue
        if not entered:
            mark(dag, found, node, rest)
        elif line and node.kind in ("code", "return") and node.line <= line <= node.end_line:
            mark(dag, found, node, "failed")
        elif node.kind in ("code", "return", "input"):
            passed = i <= end or node.kind == "input" or (bool(line) and latest < i and node.end_line < line)
            mark(dag, found, node, "done" if passed else rest)
        else:
            mark(dag, found, node, "done" if i == way_out else "skipped" if i < latest else rest)
    if entered:
        _otherwise(dag, found, children[: max(end, latest) + 1])


def _end(
    dag: DAG, found: dict[str, Settled], children: Sequence[Node], silent: Sequence[bool], latest: int
) -> tuple[int, int]:
    """Up to which child the program came, and which region it left by (-1: none of them)."""
    if latest >= 0 and _returned(dag, found, children[latest]):
        return latest, -1
    way_out = -1
    for i in range(latest + 1, len(children)):
        node = children[i]
        if not silent[i] and node.kind == "call" and not node.reason.startswith(_OPTIONAL):
            return (way_out, way_out) if way_out >= 0 else (i - 1, -1)
        if silent[i] and node.kind == "return":
            return i, -1
        if silent[i] and node.kind not in ("code", "input"):
            way_out = i
    return len(children) - 1, -1


def _returned(dag: DAG, found: dict[str, Settled], node: Node) -> bool:
    """Whether the operator or function returned from inside of this region."""
    if node.kind == "return":
        return found[node.id].status == "done"
    return node.kind != "call" and any(_returned(dag, found, c) for c in dag.children_of(node.id))


def _otherwise(dag: DAG, found: dict[str, Settled], children: Sequence[Node]) -> None:
    """Where the calls leave one way only, that was taken.

    A branch with an ``else`` that was reached, and none of whose calls ran, took the one arm without calls. What was
    raised in a ``try`` that is done went to the one ``except`` without calls.
    """
    for node in children:
        inner = dag.children_of(node.id)
        arms = [c for c in inner if c.kind == "branch"]
        silent = [arm for arm in arms if not calls(dag, arm)]
        if len(silent) != 1:
            continue
        if node.kind == "branch" and found[node.id].status == "skipped" and arms[-1].name == "else":
            found[node.id].status = "done"
            mark(dag, found, silent[0], "done")
        elif node.kind == "try" and found[node.id].status == "done" and silent[0].name.startswith("except"):
            began = [c for c in inner if found[c.id].started is not None]
            if began and found[began[-1].id].status == "failed":
                mark(dag, found, silent[0], "done")


def calls(dag: DAG, node: Node) -> bool:
    """Whether a recorder would see something of it."""
    return node.kind == "call" or any(calls(dag, c) for c in dag.children_of(node.id))


def mark(dag: DAG, found: dict[str, Settled], node: Node, status: str) -> None:
    """Give a node without calls its status, and what is inside of it too."""
    found[node.id].status = status
    for child in dag.children_of(node.id):
        mark(dag, found, child, status)
