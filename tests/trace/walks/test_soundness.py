"""2,000 random programs: what runs is a walk of what was drawn, and every textual call of an operator is in the graph.

The programs are written from a seed that hypothesis chooses: its own choices, one for every branch of the writer, take
twenty times as long and repeat themselves. A program that fails is made small by `walks.shrink`.
"""

import graphlib
import random

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from walks.counter import calls
from walks.program import write
from walks.shrink import shrink

PARTS, EXAMPLES = 4, 500
seeds = st.integers(0, 2**64)


def examples(part: int, count: int):
    """Run a check for `count` seeds, the same ones every time, others for every part."""
    chosen = settings(
        max_examples=count, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    return lambda check: seed(part)(chosen(given(seeds)(check)))


def wrong(folder, text: str) -> list[str]:
    """What does not hold for a program."""
    outcome = folder.walk(text)
    dag = outcome.dag
    found = [f"not a walk: {refused}" for refused in outcome.refused]
    drawn = {(n.line, n.col) for n in dag.nodes if (n.kind == "call" or n.certainty == "opaque") and n.file == dag.file}
    found += [f"not in the graph: the call at {place}" for place in sorted(calls(text) - drawn)]
    known = {n.id for n in dag.nodes}
    if len(known) != len(dag.nodes):
        found.append("two nodes with one id")
    if not all(e.source in known and e.target in known for e in dag.edges):
        found.append("an edge leads nowhere")
    if not all(n.parent is None or n.parent in known for n in dag.nodes):
        found.append("a node lies nowhere")
    before: dict[str, set[str]] = {}
    for edge in dag.edges:
        before.setdefault(edge.target, set()).add(edge.source)
    try:
        list(graphlib.TopologicalSorter(before).static_order())
    except graphlib.CycleError as circle:
        found.append(f"a circle of edges: {circle}")
    return found + repeated(outcome)


def repeated(outcome) -> list[str]:
    """Calls that happened several times in one call around them although their node is in nothing that repeats."""
    found = []
    nodes: dict[tuple[str | None, int, int], list] = {}
    for node in outcome.dag.nodes:
        if node.kind == "call":
            nodes.setdefault((node.operator, node.line, node.col), []).append(node)
    for call in outcome.root.walk():
        seen: dict[tuple, int] = {}
        for child in call.children:
            place = (child.path, *child.place[1:])
            seen[place] = seen.get(place, 0) + 1
        for place, count in seen.items():
            here = nodes.get(place, [])
            if count > 1 and len(here) == 1 and not repeats(outcome.dag, here[0]):
                found.append(f"{place} ran {count} times in {call.path!r}, its only node is in no loop")
    return found


def repeats(dag, node) -> bool:
    while node is not None:
        if node.kind == "loop" or node.reason.startswith(("called by", "callback", "never called", "lazy", "generator")):
            return True
        if any(n.reason == f"recursion to {node.id}" for n in dag.nodes):
            return True
        node = dag.node(node.parent) if node.parent is not None else None
    return False


@pytest.mark.parametrize("part", range(PARTS))
def test_what_runs_is_a_walk_of_what_was_drawn(folder, part):
    @examples(part, EXAMPLES)
    def check(number):
        text = write(random.Random(number))
        if problems := wrong(folder, text):
            small = shrink(text, lambda t: fails(folder, t, problems[0]))
            pytest.fail(f"{problems}\n{small}\n{folder.walk(small).dag}\n{wrong(folder, small)}", pytrace=False)

    check()


def fails(folder, text: str, problem: str) -> bool:
    """Whether a smaller program fails in the same way."""
    try:
        return any(p.split(":")[0] == problem.split(":")[0] for p in wrong(folder, text))
    except Exception:
        return False


def test_the_programs_are_worth_running(folder):
    """They differ, most run to their end, they call many operators, and hardly anything in them is opaque."""
    outcomes = []
    texts = set()

    @examples(99, 60)
    def collect(number):
        text = write(random.Random(number))
        texts.add(text)
        outcomes.append(folder.walk(text))

    collect()
    ran = [sum(1 for _ in o.root.walk()) for o in outcomes]
    nodes = [n for o in outcomes for n in o.dag.nodes]
    assert len(texts) == 60
    assert sum(o.root.outcome == "returned" for o in outcomes) > 30
    assert sum(n > 3 for n in ran) > 45
    assert sum(n.certainty == "opaque" for n in nodes) < len(nodes) / 200
    assert {"branch", "loop", "try", "with", "call", "return", "code", "input"} == {n.kind for n in nodes}
