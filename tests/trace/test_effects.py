"""Where order matters although no value flows: who changes what, seen through every name, and what is only assumed."""

from __future__ import annotations

import textwrap

import pytest

from operator_lib.trace import build_from_file
from operator_lib.trace.live import what_is
from operator_lib.trace.world import World

HEAD = """
import copy
import unreadable
from operator_lib import Operator

TOTAL = 0
SEEN = []

class Leaf(Operator):
    def forward(self, x=0, *rest):
        return x * 2 + len(rest)

class Count(Operator):
    def __init__(self):
        self.n = 0
    def forward(self, x=0):
        self.n = self.n + 1
        return x * 2

class Look(Operator):
    def __init__(self, of):
        self.of = of
    def forward(self, x=0):
        return x * self.of.n

class Reset(Operator):
    def __init__(self, of):
        self.of = of
    def forward(self, x=0):
        self.of.n = 0
        return x * 2

class Grow(Operator):
    def forward(self, xs):
        xs.append(1)
        return 3

class Size(Operator):
    def forward(self, xs):
        return len(xs)

class Shared(Operator):
    n = 0
    def forward(self, x=0):
        Shared.n += 1
        return x * 2

class Global(Operator):
    def forward(self, x=0):
        global TOTAL
        TOTAL = TOTAL + 1
        return x * 2

class Log(Operator):
    def forward(self, x=0):
        SEEN.append(x)
        return 3

class Pair(Operator):
    def forward(self, x=0):
        inner = [x]
        return inner, [x]

class P(Operator):
    def __init__(self):
        self.pair = Pair()
        self.a, self.b, self.c = Leaf(), Leaf(), Leaf()
        self.count = Count()
        self.look, self.look2, self.reset = Look(self.count), Look(self.count), Reset(self.count)
        self.grow, self.grow2, self.size = Grow(), Grow(), Size()
        self.shared, self.shared2 = Shared(), Shared()
        self.glob, self.glob2 = Global(), Global()
        self.log, self.log2 = Log(), Log()
        self.items = []
    def put(self, into, v):
        into.append(v)
"""


def program(body: str, parameters: str = "x") -> str:
    forward = f"def forward(self, {parameters}):\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"
    return HEAD + textwrap.indent(forward, "    ")


@pytest.fixture
def flows(tmp_path):
    """The edges of one kind between calls, inputs and the return of `forward`, as ``a->b:name``; ``~`` for assumed."""

    def flows(kind: str, body: str, parameters: str = "x") -> set[str]:
        path = tmp_path / "effects.py"
        path.write_text(program(body, parameters))
        dag = build_from_file(str(path), "P")
        nodes = {node.id: node for node in dag.nodes}

        def called(id: str) -> str:
            node = nodes[id]
            outer = node.parent is None or nodes[node.parent].kind != "call"
            return node.operator or (node.name if outer and node.kind in ("input", "return") else "")

        return {
            f"{called(e.source)}->{called(e.target)}:{'~' if e.certainty == 'assumed' else ''}{e.name}"
            for e in dag.edges
            if e.kind == kind and called(e.source) and called(e.target)
        }

    return flows


# body of forward -> effect edges between calls
ORDERED = {
    "a child that counts its calls": ("self.count(x)\nself.count(x)", "count->count:count.n"),
    "write after read": ("self.look(x)\nself.reset(x)", "look->reset:count.n"),
    "write after write": ("self.count(x)\nself.reset(x)", "count->reset:count.n"),
    "every reader before the write": (
        "self.look(x)\nself.look2(x)\nself.reset(x)",
        "look->reset:count.n look2->reset:count.n",
    ),
    "only the last write": (
        "self.count(x)\nself.reset(x)\nself.count(x)",
        "count->reset:count.n reset->count:count.n",
    ),
    "reads do not order reads": ("self.look(x)\nself.look2(x)\nself.look(x)", ""),
    "nothing shared": ("self.a(x)\nself.b(x)\nself.a(x)", ""),
    "a global": ("self.glob(x)\nself.glob2(x)", "glob->glob2:effects.TOTAL"),
    "what a global refers to": ("self.log(x)\nself.log2(x)", "log->log2:effects.SEEN"),
    "an attribute of a class": ("self.shared(x)\nself.shared2(x)", "shared->shared2:Shared.n"),
    "an argument": ("xs = [x]\nself.grow(xs)\nself.grow2(xs)", "grow->grow2:xs"),
    "read after it was changed is no effect": ("xs = [x]\nself.grow(xs)\nself.size(xs)", ""),
    "changed after it was read": ("xs = [x]\nself.size(xs)\nself.grow(xs)", "size->grow:xs"),
    "two objects": ("xs = [x]\nys = [x]\nself.grow(xs)\nself.grow2(ys)", ""),
    "the second name of an object": ("xs = [x]\nys = xs\nself.size(ys)\nself.grow(xs)", "size->grow:xs"),
    "a copy is another object": ("xs = [x]\nys = list(xs)\nself.size(ys)\nself.grow(xs)", ""),
    "an object in another": ("xs = [x]\nbox = {'k': xs}\nself.size(box)\nself.grow(xs)", "size->grow:xs"),
    "an attribute's object": ("xs = self.items\nself.size(self.items)\nself.grow(xs)", "size->grow:self.items"),
    "arms exclude each other": ("if x:\n  self.count(x)\nelse:\n  self.reset(x)", ""),
    "inside one arm": ("if x:\n  self.count(x)\n  self.reset(x)\nelse:\n  self.look(x)", "count->reset:count.n"),
    "cases exclude each other": ("match x:\n  case 1:\n    self.count(x)\n  case _:\n    self.reset(x)", ""),
    "a number is not changed": ("n = 3\nself.grow(n + 1)\nn += 1\nself.size(n)", ""),
}


@pytest.mark.parametrize(("body", "expected"), ORDERED.values(), ids=ORDERED)
def test_calls_stay_in_order(flows, body, expected):
    assert flows("effect", body) == set(expected.split())


def test_the_region_around_a_change_is_ordered(flows, tmp_path):
    """A call after a branch in which state changes: the branch is what it must wait for."""
    path = tmp_path / "effects.py"
    path.write_text(program("if x:\n  self.count(x)\nself.reset(x)"))
    dag = build_from_file(str(path), "P")
    (edge,) = [e for e in dag.edges if e.kind == "effect" and e.target == dag.node("reset").id]
    assert dag.node(edge.source).kind == "branch"
    assert edge.name == "count.n"


def test_a_variable_of_the_function_around(flows):
    body = """
        n = 0
        def add(v):
            nonlocal n
            n = self.a(v)
        def twice(v):
            return self.b(n)
        twice(1)
        add(2)
        return self.c(n)
    """
    assert "a->c:n" in flows("data", body)


def test_a_closure_cell_is_state(tmp_path):
    body = "n = 0\ndef look():\n  return self.a(n)\ndef add():\n  nonlocal n\n  n = self.b(1)\nlook()\nadd()\nadd()"
    path = tmp_path / "effects.py"
    path.write_text(program(body))
    dag = build_from_file(str(path), "P")
    named = {n.id: n.name for n in dag.nodes}
    effects = {(named[e.source], named[e.target]) for e in dag.edges if e.kind == "effect" and e.name == "n"}
    assert {("look", "add"), ("add", "add")} <= effects


# body of forward -> data edges that are drawn because both names mean one object
ALIASES = {
    "second name": ("y = [x]\nz = y\nz.append(self.a(x))\nreturn self.b(y)", "a->b:y"),
    "chained assignment": ("y = z = []\nz.append(self.a(x))\nreturn self.b(y)", "a->b:y"),
    "attribute": ("z = self.items\nz.append(self.a(x))\nreturn self.b(self.items)", "a->b:self.items"),
    "member": ("y = []\nbox = [y]\nbox[0].append(self.a(x))\nreturn self.b(y)", "a->b:y"),
    "tuple unpacking": ("y = []\nz, w = y, 1\nz.append(self.a(x))\nreturn self.b(y)", "a->b:y"),
    "parameter of a helper": ("y = []\nself.put(y, self.a(x))\nreturn self.b(y)", "a->b:y"),
    "either of two": ("y = []\nw = []\nz = y if x else w\nz.append(self.a(x))\nreturn self.b(w)", "a->b:w"),
    "loop variable": ("y = []\nfor z in [y]:\n  z.append(self.a(x))\nreturn self.b(y)", "a->b:y"),
    "walrus": ("y = []\n(z := y).append(self.a(x))\nreturn self.b(y)", "a->b:y"),
    "closure": ("y = []\ndef f(v):\n  y.append(v)\nf(self.a(x))\nreturn self.b(y)", "a->b:y"),
    "item": ("y = {}\nz = y\nz['k'] = self.a(x)\nreturn self.b(y)", "a->b:y"),
    "member of a copy": ("y = []\nz = [y].copy()\nz[0].append(self.a(x))\nreturn self.b(y)", "a->b:y"),
    "augmented": ("y = []\nz = y\nz += [self.a(x)]\nreturn self.b(y)", "a->b:y"),
}


@pytest.mark.parametrize(("body", "expected"), ALIASES.values(), ids=ALIASES)
def test_a_change_is_seen_through_every_name(flows, body, expected):
    assert expected in flows("data", body)


APART = {
    "rebound": "y = []\nz = y\nz = []\nz.append(self.a(x))\nreturn self.b(y)",
    "sum": "y = []\nz = y + []\nz.append(self.a(x))\nreturn self.b(y)",
    "copy": "y = []\nz = y.copy()\nz.append(self.a(x))\nreturn self.b(y)",
    "copy of a module": "y = []\nz = copy.copy(y)\nz.append(self.a(x))\nreturn self.b(y)",
    "number": "y = 0\nz = y\nz += self.a(x)\nreturn self.b(y)",
    "text": "y = ''\nz = y\nz += self.a(x)\nreturn self.b(y)",
    "used before": "y = []\nw = self.b(y)\ny.append(self.a(x))\nreturn w",
}


@pytest.mark.parametrize("body", APART.values(), ids=APART)
def test_other_objects_stay_apart(flows, body):
    drawn = {flow.partition(":")[0] for flow in flows("data", body)}
    assert "a->b" not in drawn
    assert "a->return" not in drawn


def test_what_a_child_remembers_is_read_by_data(flows, tmp_path):
    assert flows("effect", "self.count(1)\nreturn self.look(2)") == set()
    dag = build_from_file(str(tmp_path / "effects.py"), "P")
    inside = {n.id for n in dag.children_of(dag.node("look").id)}
    names = {e.name for e in dag.edges if e.kind == "data" and e.source == dag.node("count").id and e.target in inside}
    assert names == {"count.n"}
    assert "count->a:count.n" in flows("data", "self.count(1)\nreturn self.a(self.count.n)")


def test_code_that_cannot_be_read_is_assumed_to_change_what_it_gets(flows):
    body = "ys = [x]\nunreadable.touch(ys, self.a(x))\nreturn self.b(ys)"
    assert "a->b:~ys" in flows("data", body)


def test_the_order_with_an_assumed_change_is_assumed(tmp_path):
    path = tmp_path / "effects.py"
    path.write_text(program("ys = [x]\nself.size(ys)\nunreadable.touch(ys)\nreturn self.b(1)"))
    dag = build_from_file(str(path), "P")
    after = {(e.name, e.certainty) for e in dag.edges if e.kind == "effect" and e.source == dag.node("size").id}
    # What is in the list may be changed too.
    assert after == {("ys", "assumed"), ("x", "assumed")}


@pytest.mark.parametrize("annotation", ["int", "str", "float | None", "bytes"])
def test_what_cannot_change_is_not_assumed_to(flows, tmp_path, annotation):
    body = "unreadable.touch(ys, self.a(x))\nreturn self.b(ys)"
    assert "a->b:~ys" in flows("data", body, "x, ys")
    assert "a->b:~ys" not in flows("data", body, f"x, ys: {annotation}")


KEEPS = {
    "a function of a package": "np.sort(ys)",
    "a function of a subpackage": "np.linalg.norm(ys)",
    "a name that was imported": "sqrt(ys)",
    "out that is not given": "np.add(ys, 1, out=None)",
    "inplace that is not wanted": "torch.nn.functional.relu(ys, inplace=False)",
}
CHANGES = {
    "out": "np.add(1, 2, out=ys)",
    "a name that says so": "torch.nn.init.zeros_(ys)",
    "inplace": "torch.nn.functional.relu(ys, inplace=True)",
    "inplace that is decided later": "torch.nn.functional.relu(ys, inplace=self.fast)",
    "an exception": "np.random.shuffle(ys)",
    "a method of what a package made": "np.random.default_rng(0).shuffle(ys)",
    "a method of what holds it": "torch.optim.SGD(ys, 0.1).step()",
    "through a view": "np.reshape(ys, -1).sort()",
}
PACKAGES = "import numpy as np\nimport torch\nfrom scipy.special import sqrt\n"


@pytest.mark.parametrize("call", KEEPS.values(), ids=KEEPS)
def test_functions_of_known_packages_leave_their_arguments_as_they_are(flows, call):
    assert flows("effect", f"{PACKAGES}self.size(ys)\n{call}\nself.size(ys)\nreturn self.b(1)", "x, ys") == set()
    assert "size->size:ys" not in flows("data", f"{PACKAGES}self.size(ys)\n{call}\nreturn self.b(ys)", "x, ys")


@pytest.mark.parametrize("call", CHANGES.values(), ids=CHANGES)
def test_what_changes_its_arguments_is_assumed_to(tmp_path, call):
    path = tmp_path / "effects.py"
    path.write_text(program(f"{PACKAGES}self.size(ys)\n{call}\nreturn self.b(ys)", "x, ys"))
    dag = build_from_file(str(path), "P")
    assert "ys" in {e.name for e in dag.edges if e.kind == "effect" and e.source == dag.node("size").id}


def test_live_functions_have_the_names_that_the_source_gives_them():
    np, world = pytest.importorskip("numpy"), World("")
    live = [what_is(f, world) for f in (np.exp, np.sum, np.array, np.linalg.norm)]
    assert [getattr(w, "name", None) for w in live] == ["numpy.exp", "numpy.sum", "numpy.array", "numpy.linalg.norm"]


@pytest.mark.parametrize(
    "line",
    ["state = unreadable.step(state, x)", "unreadable.step(state, x)", "state = self.put(state, unreadable.f(x))"],
)
def test_long_programs_of_unreadable_calls_keep_few_edges(tmp_path, line):
    def density(lines: int) -> float:
        path = tmp_path / f"effects{lines}.py"
        path.write_text(program("\n".join(f"{line}\nself.size(state)" for _ in range(lines)), "x, state"))
        dag = build_from_file(str(path), "P")
        assert len(dag.nodes) > lines
        return len(dag.edges) / len(dag.nodes)

    assert density(60) < 1.5 * density(10)


def test_methods_of_known_packages_change_their_object_alone(flows):
    body = "from sklearn.svm import SVC\nmodel = SVC()\nself.size(ys)\nself.size(model)\nmodel.fit(ys)\nself.b(ys)"
    # What was looked at before: the model, not the data.
    assert flows("effect", body, "x, ys") == set()
    assert "size->b:~ys" not in flows("data", body, "x, ys")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("p, q = self.pair(x)\nreturn self.a(q)", "pair->a:q"),
        ("(p, q), r = self.pair(x), self.b(x)\nreturn self.a(q)", "pair->a:q"),
        ("p, *q = self.pair(x)\nreturn self.a(q)", "pair->a:q"),
        ("both = self.pair(x)\np, q = both\nreturn self.a(q)", "pair->a:both"),
        ("for p in self.pair(x):\n  self.a(p)", "pair->a:"),
    ],
)
def test_what_is_unpacked_comes_from_the_call(flows, body, expected):
    found = flows("data", body)
    assert any(flow.startswith(expected) for flow in found), found
    assert not any(flow.startswith("b->a") for flow in found)


def test_an_edge_says_how_the_caller_calls_the_object(flows):
    body = "mine, rest = self.pair([x])\nself.size(mine)\nunreadable.touch(mine, self.b(1))\nreturn self.size(mine)"
    assert {flow.rpartition(":")[2] for flow in flows("data", body) if flow.startswith("b->")} == {"~mine"}
