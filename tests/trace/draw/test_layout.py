"""Where things stand in a picture: boxes apart, lines around boxes, names where there is room."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from drawn_graphs import flat, graphs
from hypothesis import given, settings

from operator_lib.trace.dag import DAG, Edge, Node
from operator_lib.trace.draw.layout import Box, layout

ordinary = settings(max_examples=150)
NEAR = 0.01


def boxes(root: Box) -> Iterator[Box]:
    yield root
    for child in root.inside:
        yield from boxes(child)


def holds(outer: Box, left: float, top: float, right: float, bottom: float) -> bool:
    return (
        outer.x - NEAR <= left
        and right <= outer.x + outer.width + NEAR
        and outer.y - NEAR <= top
        and bottom <= outer.y + outer.height + NEAR
    )


def meet(box: Box, left: float, top: float, right: float, bottom: float) -> bool:
    return (
        left < box.x + box.width - NEAR
        and right > box.x + NEAR
        and top < box.y + box.height - NEAR
        and bottom > box.y + NEAR
    )


def check(dag: DAG) -> None:
    for outer in boxes(layout(dag)):
        for i, one in enumerate(outer.inside):
            edges = (one.x, one.y, one.x + one.width, one.y + one.height)
            assert holds(outer, *edges), "a box is not inside the box it belongs to"
            assert one.width >= one.caption.width, "a text is wider than its box"
            assert not any(meet(other, *edges) for other in outer.inside[i + 1 :]), "two boxes overlap"
        for line in outer.lines:
            for x, y in line.samples():
                assert holds(outer, x, y, x, y), "a line leaves its box"
                assert not any(meet(box, x, y, x, y) for box in outer.inside), "a line passes through a box"
            ends = {box.node.id: box for box in outer.inside if box.node}
            (ax, ay), (bx, by) = line.points[0], line.points[-1]
            assert holds(ends[line.arrow.source], ax, ay, ax, ay)
            assert holds(ends[line.arrow.target], bx, by, bx, by)
        for i, label in enumerate(outer.labels):
            edges = (label.x - label.width / 2, label.y - label.height / 2)
            edges = (*edges, label.x + label.width / 2, label.y + label.height / 2)
            assert holds(outer, *edges), "a name leaves its box"
            assert not any(meet(box, *edges) for box in outer.inside), "a name lies on a box"
            assert not any(label.overlaps(other) for other in outer.labels[i + 1 :]), "two names overlap"


@given(graphs())
@ordinary
def test_nothing_overlaps_in_any_graph(dag):
    check(dag)


def test_nothing_overlaps_in_real_programs(write, case):
    check(write(case[0]).P().dag())


def test_nothing_overlaps_in_one_large_program(write, all_cases):
    check(write(all_cases).P().dag())


@pytest.mark.parametrize("reach", [2, 5, 11])
def test_nothing_overlaps_among_150_boxes(reach):
    check(flat(150, reach))


def places(dag: DAG) -> dict[str, Box]:
    return {box.node.id: box for box in boxes(layout(dag)) if box.node}


def calls(*ids: str, parent: str | None = None) -> tuple[Node, ...]:
    return tuple(Node(id, i, "call", "Step", id, parent=parent, inputs=("v",)) for i, id in enumerate(ids))


def test_a_chain_is_one_straight_column():
    dag = DAG(calls("a", "b", "c"), (Edge("a", "b", "data", "v"), Edge("b", "c", "data", "v")))
    found = places(dag)
    assert found["a"].y < found["b"].y < found["c"].y
    assert found["a"].middle == pytest.approx(found["b"].middle) == pytest.approx(found["c"].middle)
    assert all(x == line.points[0][0] for line in layout(dag).lines for x, _ in line.points)


def test_what_needs_the_same_stands_side_by_side():
    edges = [Edge("a", "b"), Edge("a", "c"), Edge("b", "d"), Edge("c", "d"), Edge("b", "c", "control")]
    found = places(DAG(calls("a", "b", "c", "d"), tuple(edges)))
    assert found["b"].y == found["c"].y
    assert found["a"].y < found["b"].y < found["d"].y
    assert found["a"].middle == pytest.approx(found["d"].middle, abs=1)


def test_where_no_data_says_when_the_program_does():
    dag = DAG(calls("a", "b"), (Edge("a", "b", "control"),))
    assert [line.arrow.kind for line in layout(dag).lines] == ["control"]
    assert places(dag)["a"].y < places(dag)["b"].y
    both = DAG(dag.nodes, (*dag.edges, Edge("a", "b", "data", "v")))
    assert [line.arrow.kind for line in layout(both).lines] == ["data"]


def test_an_effect_keeps_its_order():
    dag = DAG(calls("a", "b"), (Edge("a", "b", "effect", "file"),))
    assert [(line.arrow.kind, line.arrow.names) for line in layout(dag).lines] == [("effect", ("file",))]
    assert places(dag)["a"].y < places(dag)["b"].y


def test_a_value_that_is_handed_past_a_call_has_a_line_of_its_own():
    nodes = (
        Node("split", 0, "call", "Split", "split"),
        Node("fit", 1, "call", "Fit", "fit", inputs=("train",)),
        Node("test", 2, "call", "Test", "test", inputs=("model", "rest")),
    )
    edges = (Edge("split", "fit", "data", "train"), Edge("fit", "test", "data", "model"))
    detour = Edge("split", "test", "data", "train")  # through `fit`: says nothing new
    assert len(layout(DAG(nodes, (*edges, detour))).lines) == 2
    assert len(layout(DAG(nodes, (*edges, Edge("split", "test", "data", "rest")))).lines) == 3


def test_arms_stand_side_by_side_and_handlers_below_the_body(write):

    module = write("""
    from operator_lib import Operator

    class Step(Operator):
        def forward(self, x): return x

    class P(Operator):
        def __init__(self): self.a, self.b, self.c = Step(), Step(), Step()
        def forward(self, x):
            try:
                y = self.a(x)
            except ValueError:
                y = self.b(x)
            except OSError:
                y = self.c(x)
            finally:
                self.a(1)
            if x:
                self.b(1)
            else:
                self.c(1)
    """)
    found = {box.node.name: box for box in boxes(layout(module.P().dag())) if box.node}
    assert found["except ValueError"].y == found["except OSError"].y
    assert found["finally"].y > found["except OSError"].y + found["except OSError"].height
    assert found["if x"].y == found["else"].y


def test_thousands_of_boxes_are_drawn():
    assert sum(1 for _ in boxes(layout(flat(2000)))) == 2001
