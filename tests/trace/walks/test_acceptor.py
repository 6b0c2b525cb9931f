"""The acceptor itself: it takes what a program did, and refuses every graph from which something is missing."""

from dataclasses import replace

import pytest

from operator_lib.trace.dag import DAG

HEAD = """
from operator_lib import Operator
from walk_base import Common, Leaf, through

class Program(Common):
    def forward(self, x, y=1):
{body}
        return x
"""

PROGRAMS = {
    "sequence": "x = self.a(1)\nx = self.b(x)",
    "branch": "if x:\n  self.a(1)\n  self.b(1)\nelse:\n  self.c(1)",
    "other arm": "if not x:\n  self.a(1)\nelif y:\n  self.b(1)\n  self.c(1)\nelse:\n  self.alias(1)",
    "loop": "for i in range(x + 2):\n  self.a(i)\n  self.b(i)",
    "while": "while self.a(x) != 9 and y < 5:\n  y += 1\n  self.b(1)",
    "children": "for k in self.kids:\n  x = k(1)",
    "try": "try:\n  self.a(1)\n  self.b(7)\n  self.c(1)\nexcept ValueError:\n  self.b(1)\nfinally:\n  self.c(2)",
    "helper": "x = through(self.a, 1)\nx = self.both(1, self.b)",
    "comprehension": "x = len([self.b(self.a(i)) for i in range(3)])",
    "ternary": "x = self.a(1) if x else self.b(1)",
    "match": "match self.c(1):\n  case 99:\n    self.a(1)\n  case _:\n    self.b(1)\n    self.a(1)",
    "break": "for i in range(9):\n  self.a(i)\n  if i == 1:\n    break\nelse:\n  self.b(1)",
    "recursion": "x = self.down(2)\nself.a(x)",
    "generator": "def taken():\n  yield self.a(1)\n  yield self.b(1)\nfor q in taken():\n  self.c(q)",
    "callback": "sorted([1, 2], key=lambda q: self.a(q))\nself.b(1)",
}


@pytest.fixture(params=PROGRAMS.values(), ids=PROGRAMS)
def text(request):
    return program(request.param)


def program(body: str) -> str:
    return HEAD.format(body="\n".join("        " + line for line in body.splitlines()))


@pytest.fixture
def accepts(folder):
    """``accepts(text, change)``: whether the run of a program is a walk of its changed graph."""

    def accepts(text, change=lambda dag: dag):
        outcome = folder.walk(text)
        name = outcome.dag.file.removesuffix(".py")
        return folder.acceptor(change(outcome.dag), text, name).walk(outcome.root)

    return accepts


def rebuilt(dag, nodes):
    return DAG(tuple(replace(n, index=i) for i, n in enumerate(nodes)), (), dag.name, file=dag.file)


def ran(folder, text):
    """The nodes of the operators that the program has called."""
    outcome = folder.walk(text)
    places = {(c.path, c.place[1], c.place[2]) for c in outcome.root.walk()}
    return [n for n in outcome.dag.nodes if n.operator and (n.operator, n.line, n.col) in places]


def below(dag, node):
    return {node.id}.union(*(below(dag, child) for child in dag.children_of(node.id)))


def swapped(dag, a, b):
    """Two neighbours, with all that is in them, in the other order."""
    first, second = below(dag, a), below(dag, b)
    nodes = [n for n in dag.nodes if n.index < b.index and n.id not in first]
    nodes += [n for n in dag.nodes if n.id in second] + [n for n in dag.nodes if n.id in first]
    done = {n.id for n in nodes}
    return rebuilt(dag, [*nodes, *(n for n in dag.nodes if n.id not in done)])


def without_region(dag, region):
    """What was inside a region stands where the region stood."""
    return rebuilt(
        dag,
        [replace(n, parent=region.parent) if n.parent == region.id else n for n in dag.nodes if n.id != region.id],
    )


def test_the_graph_as_it_is(accepts, text):
    assert accepts(text)


def test_a_missing_node_is_noticed(accepts, folder, text):
    for node in ran(folder, text):

        def drop(dag, node=node):
            gone = next(n for n in dag.nodes if (n.operator, n.line, n.col) == (node.operator, node.line, node.col))
            return rebuilt(dag, [n for n in dag.nodes if n.id not in below(dag, gone)])

        assert not accepts(text, drop), node


@pytest.mark.parametrize("name", ["sequence", "branch", "loop", "children", "comprehension", "match"])
def test_swapped_nodes_are_noticed(accepts, name):
    def swap(dag):
        pairs = [(a, b) for a in dag.nodes for b in dag.nodes if a.parent == b.parent and a.index < b.index]
        a, b = next((a, b) for a, b in pairs if a.kind == b.kind == "call")
        return swapped(dag, a, b)

    assert not accepts(program(PROGRAMS[name]), swap)


@pytest.mark.parametrize("name", ["loop", "while", "children", "comprehension", "break"])
def test_a_missing_loop_is_noticed(accepts, name):
    assert not accepts(
        program(PROGRAMS[name]), lambda dag: without_region(dag, next(n for n in dag.nodes if n.kind == "loop"))
    )


@pytest.mark.parametrize("name", ["branch", "other arm", "match"])
def test_merged_arms_are_noticed(accepts, name):
    def merge(dag):
        chain = next(n for n in dag.nodes if n.kind == "branch")
        for arm in dag.children_of(chain.id):
            dag = without_region(dag, arm) if arm.kind == "branch" else dag
        return without_region(dag, chain)

    assert not accepts(program(PROGRAMS[name]), merge)


def test_an_exact_call_that_did_not_run_is_noticed(accepts):
    def surely(dag):
        return rebuilt(dag, [replace(n, certainty="exact", reason="") for n in dag.nodes])

    assert accepts(program("x = x and self.a(1)"), surely)
    assert not accepts(program("x = y - 1 and self.a(1)"), surely)


def test_another_place_or_operator_is_noticed(accepts):
    text = program(PROGRAMS["sequence"])
    assert not accepts(text, lambda dag: rebuilt(dag, [replace(n, col=n.col + 1) for n in dag.nodes]))
    assert not accepts(text, lambda dag: rebuilt(dag, [replace(n, operator=n.operator and "z") for n in dag.nodes]))


def test_a_loop_over_known_children_makes_a_round_for_each(accepts):
    text = program("for k in self.kids:\n  k(1)\n  break")
    assert accepts(text)
    assert not accepts(text.replace("  break", "  self.a(1)"), lambda dag: rebuilt(dag, [
        replace(n, reason="1 known children, unrolled") if n.kind == "loop" else n for n in dag.nodes
    ]))  # fmt: skip
