"""A graph is kept, and made anew when anything that it rests on has changed."""

SOURCE = """
from operator_lib import Operator

class A(Operator):
    def forward(self, x): return x

def helper(op, x):
    return op(x)

class P(Operator):
    def __init__(self, which="a"):
        self.a, self.b = A(), A()
        self.which = which
    def forward(self, x):
        return helper(getattr(self, self.which), x)
"""


def called(op):
    return [n.operator for n in op.dag().nodes if n.operator is not None]


def test_the_same_tree_gives_the_kept_graph(write):
    module = write(SOURCE)
    assert module.P().dag() is module.P().dag()


def test_other_attributes_give_another_graph(write):
    module = write(SOURCE)
    op = module.P()
    assert called(op) == ["a"]
    op.which = "b"
    assert called(op) == ["b"]
    op.b = op.a
    assert called(op) == ["a"]


def test_a_redefined_helper_gives_another_graph(write):
    module = write(SOURCE)
    op = module.P()
    assert called(op) == ["a"]
    module.helper = input
    assert op.dag().coverage < 1.0


def test_a_replaced_method_gives_another_graph(write):
    module = write(SOURCE)
    op = module.P()
    assert called(op) == ["a"]
    module.P.forward = module.A.forward
    assert called(op) == []
