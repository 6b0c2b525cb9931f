"""The class that every description of the library starts with."""

from operator_lib import DAG

RECAP = """
from operator_lib import Operator

class MyOtherOperator(Operator):
    def __init__(self, b):
        self.b = b
    def forward(self, x):
        return len(self.b) + x

class MyOperator(Operator):
    '''Adds and asks.'''
    def __init__(self, a: int, b: str):
        super().__init__()
        self.a = a
        self.b = MyOtherOperator(b)
    def forward(self, x: int) -> int:
        y = self.a + x
        y = self.b(y) + x
        return y
"""


def edges(dag):
    """(source, target, name) of the outermost data edges, by title."""
    outer = {n.id: n.title for n in dag.nodes if n.parent is None}
    return {
        (outer[e.source], outer[e.target], e.name)
        for e in dag.edges
        if e.kind == "data" and e.source in outer and e.target in outer
    }


def test_input_call_and_return_are_nodes_joined_by_what_flows(write):
    dag = write(RECAP).MyOperator(1, "hello").dag()
    outer = [n for n in dag.nodes if n.parent is None]
    assert [(n.kind, n.operator) for n in outer] == [("input", None), ("code", None), ("call", "b"), ("return", None)]
    assert {("x", "b: MyOtherOperator", "x"), ("b: MyOtherOperator", "return", "y")} <= edges(dag)
    assert dag.coverage == 1.0
    assert [n.index for n in dag.nodes] == list(range(len(dag.nodes)))


def test_the_nested_operator_is_read_inside_its_call(write):
    dag = write(RECAP).MyOperator(1, "hello").dag()
    inside = dag.children_of(dag.node("b").id)
    assert [n.kind for n in inside] == ["input", "return"]
    entered = {(e.source, e.target) for e in dag.edges if e.kind == "data"}
    outer_return = next(n for n in dag.nodes if n.kind == "return" and n.parent is None)
    assert (inside[-1].id, outer_return.id) in entered, "what the inner return gives reaches the outer one"


def test_it_says_what_it_is(write):
    module = write(RECAP)
    dag = module.MyOperator(1, "hello").dag()
    assert (dag.name, dag.signature, dag.doc) == ("MyOperator", "MyOperator(x: int) -> int", "Adds and asks.")
    assert (dag.file, dag.line) == (f"{module.__name__}.py", 9)


def test_the_class_alone_has_the_same_graph(write):
    module = write(RECAP)
    assert module.MyOperator.dag().to_json() == module.MyOperator(1, "hello").dag().to_json()


def test_json_and_proto_bring_the_same_graph_back(write):
    dag = write(RECAP).MyOperator(1, "hello").dag()
    assert DAG.from_json(dag.to_json()) == dag
    assert DAG.from_json(dag.to_json()).to_json() == dag.to_json()
    assert DAG.from_proto(dag.to_proto()) == dag
    newer = dag.to_json().replace('{"doc"', '{"colour":"blue","doc"', 1)
    assert '"colour":"blue"' in DAG.from_json(newer).to_json()
