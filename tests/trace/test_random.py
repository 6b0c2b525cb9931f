"""Random programs: nothing is dropped, nothing is cyclic, and what runs is what was drawn."""

from __future__ import annotations

import ast
import graphlib
import itertools
import linecache
import sys

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from operator_lib import Operator

CHILDREN = ("a", "b", "c")
_numbers = itertools.count()


class Stop(Exception):
    """The program has run for long enough."""


class Probe(Operator):
    """A child that notes from which place it was called."""

    def __init__(self, name, seen):
        self.name = name
        self.seen = seen

    def forward(self, x=0):
        frame = sys._getframe(1)
        while not frame.f_code.co_filename.startswith("<random"):
            frame = frame.f_back
        line, _, col, _ = list(frame.f_code.co_positions())[frame.f_lasti // 2]
        self.seen.append((self.name, line, col))
        if len(self.seen) > 200:
            raise Stop
        if x == 3:
            raise ValueError(x)
        return (x + len(self.name)) % 5


names = st.sampled_from(["x", "y", "z"])
child = st.sampled_from(CHILDREN)


def expression(depth: int) -> st.SearchStrategy[str]:
    leaf = st.one_of(names, st.integers(0, 4).map(str))
    if depth == 0:
        return leaf
    sub = expression(depth - 1)
    return st.one_of(
        leaf,
        st.builds("self.{}({})".format, child, sub),
        st.builds("self.{}(x={})".format, child, sub),
        st.builds("({} + {})".format, sub, sub),
        st.builds("({} and {})".format, sub, sub),
        st.builds("({} or {})".format, sub, sub),
        st.builds("({} < {} < {})".format, sub, sub, sub),
        st.builds("({} if {} else {})".format, sub, sub, sub),
        st.builds("sum([{} for x in range({} % 3)])".format, sub, sub),
        st.builds("sum({} for y in (1, {}) if {})".format, sub, sub, sub),
        st.builds("(lambda x: {})({})".format, sub, sub),
        st.builds("int(f'{{{}}}')".format, st.builds("self.{}({})".format, child, names)),
        st.builds("(y := {})".format, sub),
        st.builds("self.helper({})".format, sub),
        st.builds("self.kids[{}]({})".format, st.sampled_from(["0", "1", "x % 2"]), sub),
    )


def block(depth: int, loop: bool) -> st.SearchStrategy[list[str]]:
    return st.lists(statement(depth, loop), min_size=1, max_size=3).map(
        lambda parts: [line for p in parts for line in p]
    )


def indented(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


def statement(depth: int, loop: bool) -> st.SearchStrategy[list[str]]:
    value = expression(2)
    simple = [
        st.builds(lambda n, v: [f"{n} = {v}"], names, value),
        st.builds(lambda n, v: [f"{n} += {v}"], names, value),
        st.builds(lambda v: [v], value),
        st.builds(lambda v: [f"return {v}"], value),
        st.builds(lambda v: [f"assert {v} != 99, {v}"], value),
        st.builds(lambda n: [f"m = self.{n}", "x = m(x)"], child),
        st.just(["raise ValueError(x)"]),
    ]
    if loop:
        simple += [st.just(["break"]), st.just(["continue"])]
    if depth == 0:
        return st.one_of(*simple)
    inner, looped = block(depth - 1, loop), block(depth - 1, True)
    return st.one_of(
        *simple,
        st.builds(lambda c, a: [f"if {c}:", *indented(a)], value, inner),
        st.builds(lambda c, d, a, b, e: [f"if {c}:", *indented(a), f"elif {d}:", *indented(b), "else:", *indented(e)],
                  value, value, inner, inner, inner),
        st.builds(lambda v, a, e: [f"for x in range({v} % 3):", *indented(a), "else:", *indented(e)],
                  value, looped, inner),
        st.builds(lambda a: ["for k in self.kids:", "    x = k(x)", *indented(a)], looped),
        st.builds(lambda v, a: [f"while {v} % 2:", "    self.tick()", *indented(a)], value, looped),
        st.builds(lambda a, b, e: ["try:", *indented(a), "except ValueError:", *indented(b), "finally:", *indented(e)],
                  inner, inner, block(0, False)),
        st.builds(lambda a, b, e: ["try:", *indented(a), "except ValueError as e:", *indented(b), "else:",
                                   *indented(e)],
                  inner, inner, inner),
        st.builds(lambda v, a, b: [f"match {v}:", "    case 1 | 2:", *indented(indented(a)),
                                   "    case _ if x:", *indented(indented(b))], value, inner, inner),
        st.builds(lambda v, a: [f"with self.manage({v}) as z:", *indented(a)], value, inner),
        st.builds(lambda n, v, a: [f"def local({n}):", *indented(a), f"y = local({v}) or 0"],
                  names, value, block(depth - 1, False)),
    )  # fmt: skip


HELPERS = """
    ticks = 0
    def tick(self):
        self.ticks += 1
        if self.ticks > 30:
            raise RuntimeError("long enough")
    def helper(self, x):
        if x > 2:
            return self.c(1)
        return x
    def manage(self, x):
        import contextlib
        return contextlib.nullcontext(x)
"""


def program(lines: list[str]) -> str:
    body = "\n".join("        " + line for line in lines)
    return f"class Program(Operator):\n    def forward(self, x, y=1, z=2):\n{body}\n{HELPERS}"


def make(source: str, seen: list[tuple[str, int, int]]) -> Operator:
    filename = f"<random {next(_numbers)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    namespace = {"Operator": Operator, "__name__": "__main__"}
    try:
        code = compile(source, filename, "exec")
    except SyntaxError:  # a walrus where Python allows none
        assume(False)
    exec(code, namespace)
    op = namespace["Program"]()
    for name in CHILDREN:
        setattr(op, name, Probe(name, seen))
    op.kids = [Probe("kids.0", seen), Probe("kids.1", seen)]
    return op


ordinary = settings(
    max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)


@given(block(2, False))
@ordinary
def test_every_call_site_is_in_the_graph(lines):
    source = program(lines)
    dag = make(source, []).dag()
    sites = {
        (n.lineno, n.col_offset)
        for n in ast.walk(ast.parse(source).body[0].body[0])
        if isinstance(n, ast.Call) and ast.unparse(n.func) in {f"self.{c}" for c in CHILDREN}
    }
    drawn = {(n.line, n.col) for n in dag.nodes if n.kind == "call" or n.certainty == "opaque"}
    assert sites <= drawn, f"{source}\n{dag}\nmissing: {sites - drawn}"


@given(block(2, False))
@ordinary
def test_edges_never_make_a_circle_and_ids_are_unique(lines):
    dag = make(program(lines), []).dag()
    graph = {}
    for edge in dag.edges:
        graph.setdefault(edge.target, set()).add(edge.source)
    list(graphlib.TopologicalSorter(graph).static_order())
    assert len({n.id for n in dag.nodes}) == len(dag.nodes)
    known = {n.id for n in dag.nodes}
    assert all(e.source in known and e.target in known for e in dag.edges)
    assert all(n.parent is None or n.parent in known for n in dag.nodes)


@given(block(2, False), st.integers(0, 4))
@ordinary
def test_what_runs_was_drawn_and_what_is_exact_runs(lines, x):
    source = program(lines)
    seen = []
    op = make(source, seen)
    dag = op.dag()
    try:
        op(x)
        ended = True
    except Exception:
        ended = False
    drawn = {(n.operator, n.line, n.col) for n in dag.nodes if n.kind == "call"}
    assert set(seen) <= drawn, f"{source}\n{dag}\nran, not drawn: {set(seen) - drawn}"
    if ended:
        outer = {n.id: n for n in dag.nodes}

        def certain(node):
            while node is not None:
                if node.certainty != "exact" or node.name == "uncalled":
                    return False
                node = outer.get(node.parent)
            return True

        sure = {(n.operator, n.line, n.col) for n in dag.nodes if n.kind == "call" and n.operator and certain(n)}
        assert sure <= set(seen), f"{source}\n{dag}\nexact, did not run: {sure - set(seen)}"
