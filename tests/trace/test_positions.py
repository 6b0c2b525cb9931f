"""A node's place is the one that the bytecode carries: a running call finds its node by it."""

import dis
import types

SOURCE = """
from operator_lib import Operator

class A(Operator):
    def forward(self, x=0, *more, **named):
        return x

class P(Operator):
    def __init__(self):
        self.a, self.bcd = A(), A()
        self.kids = [A()]
    def forward(self, x):
        y = self.a(self.bcd(x), 1)
        z = (
            self
            .a(
                x,
            )
        )
        w = self.a(*x, **y)
        (self
         .bcd(*x))
        ü = "ä"; v = self.a("ö", self.bcd(ü))
        u = [self.a(i) for i in x]
        t = (lambda q: self.bcd(q))(1)
        self.kids[0](
            x)
        return self.a(x=y), f"{self.a(z)}"
"""


def calls(code: types.CodeType):
    for instruction in dis.get_instructions(code):
        if instruction.opname.startswith(("CALL", "PRECALL")):
            yield tuple(instruction.positions)
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from calls(const)


def test_every_call_node_stands_where_a_call_instruction_stands(write):
    module = write(SOURCE)
    dag = module.P().dag()
    compiled = {(a, c, b, d) for a, b, c, d in calls(module.P.forward.__code__)}
    nodes = [n for n in dag.nodes if n.kind == "call" and n.operator]
    assert len(nodes) == 12
    for node in nodes:
        assert (node.line, node.col, node.end_line, node.end_col) in compiled, node
