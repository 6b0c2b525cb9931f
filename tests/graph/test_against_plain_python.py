"""Random graphs give what the same functions give in a loop: every value reaches what it should, in order."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from operator_lib import Graph, RouteTo, operator

KINDS = ("one", "many", "route", "reduce")


@dataclass(frozen=True)
class Function:
    """What a function of the graph does: pure, so that a loop can do it too."""

    kind: str
    salt: int

    def targets(self, value: int, successors: list[str]) -> list[str]:
        chosen = (value + self.salt) % (len(successors) + 1)
        return successors[:chosen]

    def items(self, value: int) -> list[int]:
        return [value * 3 + i + self.salt for i in range((value + self.salt) % 4)]


@st.composite
def programs(draw: Any) -> tuple[list[Function], dict[int, list[int]]]:
    count = draw(st.integers(1, 7))
    functions = [
        Function(draw(st.sampled_from(KINDS if i else KINDS[:3])), draw(st.integers(0, 9))) for i in range(count)
    ]
    edges: dict[int, list[int]] = {i: [] for i in range(count)}
    for target in range(1, count):  # everything can be reached, and edges point forward
        for source in draw(st.lists(st.integers(0, target - 1), min_size=1, max_size=3, unique=True)):
            edges[source].append(target)
    return functions, edges


def plain(functions: list[Function], edges: dict[int, list[int]], x: int) -> dict[str, list[Any]]:
    """The outputs of every function: what arrives is taken predecessor by predecessor, call by call."""
    arrived: dict[int, dict[int, list[int]]] = {i: {} for i in edges}
    listed: dict[int, bool] = dict.fromkeys(edges, False)
    found: dict[str, list[Any]] = {}
    arrived[0][-1] = [x]
    for i in order(edges):
        function, successors = functions[i], [f"f{t}" for t in edges[i]]
        sources = [-1] if i == 0 else [s for s in range(len(functions)) if i in edges[s]]
        values = [v for s in sources for v in arrived[i].get(s, [])]
        outputs: list[Any] = []
        if function.kind == "reduce":
            ran = bool(values) or listed[i]
            listed[i] = False
            if ran:
                total = 0
                for value in values:
                    total = total * 2 + value
                values, outputs = [total], [total]
            else:
                values = []
        for value in values:
            targets, items = successors, [value + function.salt]
            if function.kind == "reduce":
                items = [value]
            elif function.kind == "many":
                items = function.items(value)
            elif function.kind == "route":
                targets = function.targets(value, successors)
            if function.kind != "reduce":
                outputs.append(items if function.kind == "many" else items[0])
            for target in targets:
                arrived[int(target[1:])].setdefault(i, []).extend(items)
                if function.kind == "many":
                    listed[int(target[1:])] = True
        for target in edges[i]:
            listed[target] = listed[target] or listed[i]
        found[f"f{i}"] = outputs
    return found


def order(edges: dict[int, list[int]]) -> list[int]:
    return sorted(edges)


def build(functions: list[Function], edges: dict[int, list[int]], delays: list[float]) -> Graph:
    made = [node(i, f, [f"f{t}" for t in edges[i]], delays[i % len(delays)]) for i, f in enumerate(functions)]
    graph = Graph("random", made[0])
    for source, targets in edges.items():
        graph.add_node(made[source]).add_edges(made[source], [made[t] for t in targets])
    return graph


def node(index: int, function: Function, successors: list[str], delay: float) -> Any:
    def body(x: int) -> Any:
        if delay and x % 2:
            time.sleep(delay)  # so that calls end in another order than they begin
        if function.kind == "many":
            return function.items(x)
        if function.kind == "route":
            return RouteTo(x + function.salt, function.targets(x, successors))
        return x + function.salt

    if function.kind == "reduce":
        return operator(lambda total, x: total * 2 + x, name=f"f{index}", accumulate=0)
    return operator(body, name=f"f{index}")


@settings(max_examples=150)
@given(programs(), st.integers(0, 6), st.lists(st.sampled_from([0.0, 0.001]), min_size=1, max_size=3))
def test_any_graph(program: tuple[list[Function], dict[int, list[int]]], x: int, delays: list[float]) -> None:
    functions, edges = program
    run = build(functions, edges, delays).run(True, x=x)
    run.result()
    found = run.outputs()
    del found[""]
    assert found == plain(functions, edges, x)


@settings(max_examples=50)
@given(st.lists(st.text(max_size=3), max_size=40))
def test_reducing_keeps_the_order_of_the_inputs(words: list[str]) -> None:
    hand_out = operator(lambda: list(words), name="hand_out")
    shout = operator(lambda word: word.upper(), name="shout")
    join = operator(lambda text, word: text + word, name="join", accumulate=str)
    assert Graph("words", hand_out).add_edge(hand_out, shout).add_edge(shout, join)() == "".join(words).upper()
