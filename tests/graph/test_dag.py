"""The picture of a graph is what it declares, and a run lights it up."""

from __future__ import annotations

from functions import Around, diamond, plus_one, routed, same, squares

from operator_lib import DAG, Graph, Operator, operator, record
from operator_lib.trace.dag import Node


def calls(dag: DAG, parent: str | None = None) -> dict[str, Node]:
    return {node.name: node for node in dag.children_of(parent) if node.kind == "call"}


def flows(dag: DAG, nodes: dict[str, Node]) -> set[tuple[str, str]]:
    names = {node.id: name for name, node in nodes.items()}
    return {(names[e.source], names[e.target]) for e in dag.edges if e.source in names and e.target in names}


def test_nodes_and_edges_are_the_declared_ones() -> None:
    dag = diamond().dag()
    found = calls(dag)
    assert list(found) == ["same", "plus_one", "times_ten", "both"]
    assert [node.operator for node in found.values()] == list(found)
    assert flows(dag, found) == {
        ("same", "plus_one"), ("same", "times_ten"), ("plus_one", "both"), ("times_ten", "both"),
    }  # fmt: skip
    assert (dag.name, dag.signature, dag.coverage) == ("diamond", "diamond(x: Any)", 1.0)
    assert [n.kind for n in dag.children_of(None)] == ["input", *["call"] * 4, "return"]
    assert found["both"].file == "functions.py"


def test_what_may_not_run_says_why() -> None:
    found = calls(routed.dag())
    assert {name: (node.certainty, node.reason) for name, node in found.items()} == {
        "parity": ("exact", ""),
        "even": ("may", "routed"),
        "odd": ("may", "routed"),
    }
    found = calls(squares.dag())
    assert {name: (node.certainty, node.reason) for name, node in found.items()} == {
        "count": ("exact", ""),
        "square": ("may", "mapped"),
        "total": ("exact", ""),  # of nothing, too
    }


def test_functions_are_read_like_any_operator() -> None:
    class Step(Operator):
        def forward(self, x: int) -> int:
            return x + 1

    class Outer(Operator):
        def __init__(self) -> None:
            self.step = Step()

        def forward(self, x: int) -> int:
            return self.step(x)

    dag = Graph("g", Outer).dag()
    outer = calls(dag)["Outer"]
    assert [n.operator for n in dag.nodes if n.kind == "call"] == ["Outer", "Outer.step"]
    assert calls(dag, outer.id)["Step"].operator == "Outer.step"


def test_inside_of_another_operator() -> None:
    dag = Around().dag()
    graph = dag.node("graph")
    assert list(calls(dag, graph.id)) == ["count", "square", "total"]
    assert dag.node("graph.total").certainty == "exact"
    assert (graph.id, dag.node("after").id) in {(e.source, e.target) for e in dag.edges if e.kind == "data"}


def test_other_ways_to_run_it_are_calls_of_it() -> None:
    class Runs(Operator):
        def __init__(self) -> None:
            self.graph = diamond()

        def forward(self, x: int) -> object:
            return self.graph.run(x=x).result(), self.graph.submit(x).result(), self.graph.map([x])

    dag = Runs().dag()
    assert [n.operator for n in calls(dag).values()] == ["graph"]
    assert [n.operator for n in dag.children_of(None) if n.kind == "call"] == ["graph"] * 3
    assert dag.coverage == 1.0


def test_a_class_makes_the_graph_that_its_objects_have() -> None:
    class Makes(Operator):
        def __init__(self) -> None:
            self.graph = Graph("inner", same).add_edge(same, plus_one)

        def forward(self, x: int) -> int:
            return self.graph(x)

    assert [n.operator for n in Makes.dag().nodes if n.kind == "call"] == ["graph", "graph.same", "graph.plus_one"]
    assert Makes.dag().nodes == Makes().dag().nodes


def test_a_run_is_what_the_picture_shows() -> None:
    run = squares.run(True, n=4)
    found = {name: (node.status, node.count) for name, node in calls(run.dag()).items()}
    assert found == {"count": ("done", 1), "square": ("done", 4), "total": ("done", 1)}
    found = {name: (node.status, node.count) for name, node in calls(routed.run(True, x=4).dag()).items()}
    assert found == {"parity": ("done", 1), "even": ("done", 1), "odd": ("skipped", 0)}


def test_everything_that_ran_is_a_node() -> None:
    with record() as recorded:
        Around()(3)
    dag = recorded.dag()
    assert "unplaced" not in dag.extra
    counts = {node.operator: node.count for node in dag.nodes if node.kind == "call"}
    assert counts == {"graph": 1, "graph.count": 1, "graph.square": 3, "graph.total": 1, "after": 1}


def test_the_same_graph_gives_the_same_picture() -> None:
    assert diamond().dag().to_json() == diamond().dag().to_json()
    one = operator(lambda x: x, name="one")
    other = Graph("g", one)
    before = other.dag()
    other.add_edge(one, operator(lambda x: x, name="two"))
    assert [n.name for n in before.diff(other.dag()).added if n.kind == "call"] == ["two"]


def test_drawings() -> None:
    dag = diamond().dag()
    for text in (str(dag), dag.to_svg(), dag.to_mermaid(), dag.to_dot()):
        assert all(name in text for name in ("plus_one", "times_ten", "both"))
    assert DAG.from_json(dag.to_json()) == dag
