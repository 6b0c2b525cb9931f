"""Which call gets its arguments from where, in small programs labelled by hand: nothing missing, little too much."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from operator_lib.trace import build_from_file
from operator_lib.trace.dag import DAG, Edge, Node

HEAD = """
import asyncio, functools, types
from operator_lib import Operator

class Leaf(Operator):
    def forward(self, x=0, *rest, **named):
        return x * 2 + len(rest)

class Pair(Operator):
    def __init__(self):
        self.left, self.right = Leaf(), Leaf()
    def forward(self, x):
        return self.right(self.left(x))

class Count(Operator):
    def __init__(self):
        self.n = 0
    def forward(self, x):
        self.n = self.n + x
        return self.n

class P(Operator):
    def __init__(self):
        self.a, self.b, self.c, self.d = Leaf(), Leaf(), Leaf(), Leaf()
        self.kids = [Leaf(), Leaf()]
        self.pair, self.count = Pair(), Count()
        self.items = []
"""
# A spurious edge says that a call has to wait, or be run again, for nothing.
LIMIT = 0.05
Flow = tuple[str, str]


@dataclass(frozen=True)
class Labelled:
    """Methods of an operator and where values flow in its `forward`: ``x->a a->b:y b->return``."""

    title: str
    flows: frozenset[Flow]
    names: frozenset[tuple[str, str, str]]
    source: str


def labelled(text: str) -> Labelled:
    heading, _, source = text.partition("\n")
    title, _, flows = heading.partition(" | ")
    found = [(source, *target.partition(":")[::2]) for source, _, target in (f.partition("->") for f in flows.split())]
    return Labelled(
        title, frozenset((s, t) for s, t, _ in found), frozenset(f for f in found if f[2]), HEAD + indented(source)
    )


def indented(source: str) -> str:
    return textwrap.indent(source, "    ")


FILES = sorted(Path(__file__).parent.glob("*.txt"))
PROGRAMS = [labelled(text) for path in FILES for text in path.read_text().split("#: ")[1:]]


def drawn(program: Labelled, folder: Path) -> set[tuple[str, str, str]]:
    """The data edges between inputs, calls and returns; parameters and results of helpers are seen through."""
    path = folder / "program.py"
    path.write_text(program.source)
    dag = build_from_file(str(path), "P")
    called = ends(dag)
    leaving: dict[str, list[Edge]] = {}
    for edge in dag.edges:
        if edge.kind == "data":
            leaving.setdefault(edge.source, []).append(edge)
    found: set[tuple[str, str, str]] = set()
    for source in filter(called.get, called):
        edges = list(leaving.get(source, ()))
        for edge in edges:
            if called.get(edge.target):
                found.add((called[source], called[edge.target], edge.name))
            elif edge.target in called:
                edges.extend(e for e in leaving.get(edge.target, ()) if e not in edges)
    return found


def ends(dag: DAG) -> dict[str, str]:
    """What a label calls the inputs, calls and returns, by id; "" for those of helpers. None inside other operators."""
    nodes = {node.id: node for node in dag.nodes}
    count: Counter[str] = Counter()
    found: dict[str, str] = {}
    for node in dag.nodes:
        around = [n for n in above(node, nodes) if n.kind == "call"]
        if any(n.operator for n in around) or (node.kind not in ("input", "return") and not node.operator):
            continue
        called = "" if around and not node.operator else node.operator or node.name
        count[called] += 1
        found[node.id] = called if count[called] == 1 or not called else f"{called}#{count[called]}"
    return found


def above(node: Node, nodes: dict[str, Node]) -> Iterator[Node]:
    while node.parent is not None:
        node = nodes[node.parent]
        yield node


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.title)
def test_no_edge_is_missing(program, tmp_path):
    edges = drawn(program, tmp_path)
    assert program.flows - {edge[:2] for edge in edges} == set(), sorted(edges)
    assert program.names - edges == set(), sorted(edges)


def test_few_edges_are_spurious(tmp_path):
    assert len(PROGRAMS) >= 100
    edges = {(program.title, *edge[:2]) for program in PROGRAMS for edge in drawn(program, tmp_path)}
    right = {(program.title, *flow) for program in PROGRAMS for flow in program.flows}
    spurious = sorted(edges - right)
    share = len(spurious) / len(edges)
    print(f"{len(PROGRAMS)} programs, {len(edges)} edges drawn, {len(spurious)} spurious: {share:.1%}")
    for title, source, target in spurious:
        print(f"    {title}: {source}->{target}")
    assert share < LIMIT
