"""Where source comes from, and what happens where there is none."""

import ast
import linecache

from operator_lib import Operator, operator
from operator_lib.trace import build


def test_made_by_exec_without_source_is_one_opaque_node_and_still_runs():
    namespace = {"Operator": Operator, "__name__": "__main__"}
    exec("class P(Operator):\n    def forward(self, x):\n        return x + 1\n", namespace)
    op = namespace["P"]()
    dag = op.dag()
    assert [(n.kind, n.certainty, n.reason) for n in dag.nodes] == [("code", "opaque", "no-source")]
    assert dag.coverage == 0.0
    assert "no-source" in str(dag.explain())
    assert op(1) == 2


def test_a_notebook_cell_is_read():
    cell = "class P(Operator):\n    def __init__(self, a):\n        self.a = a\n    def forward(self, x):\n"
    cell += "        return self.a(x)\n"
    filename = "/tmp/ipykernel_12345/678.py"
    linecache.cache[filename] = (len(cell), None, cell.splitlines(True), filename)
    namespace = {"Operator": Operator, "__name__": "__main__"}
    exec(compile(cell, filename, "exec"), namespace)
    dag = namespace["P"](operator(len)).dag()
    (call,) = [n for n in dag.nodes if n.kind == "call"]
    assert (call.operator, call.line) == ("a", 5)
    assert call.file.startswith("<cell ")
    del linecache.cache[filename]


def test_what_others_hang_on_trees_does_no_harm(write):
    """A + is one object in all trees; IPython's tracebacks give it a `parent`, and so a way round."""
    tree = ast.parse("x += 1").body[0]
    tree.op.parent = tree
    module = write(
        """
        from operator_lib import Operator

        class Count(Operator):
            def __init__(self):
                self.calls = 0

            def reset(self):
                self.calls = 0
                self.calls += 0

            def forward(self, x):
                self.calls += x
                return self.calls
        """
    )
    try:
        assert module.Count().dag().coverage == 1
    finally:
        del tree.op.parent


def test_a_file_edited_after_import_is_not_misread(write, tmp_path):
    module = write("""
        from operator_lib import Operator
        class P(Operator):
            def __init__(self): self.a = Operator()
            def forward(self, x): return self.a(x)
    """)
    (tmp_path / f"{module.__name__}.py").write_text("# nothing is where it was\n" * 3)
    dag = module.P().dag()
    assert [n.reason for n in dag.nodes] == ["source-changed"]


def test_functions_and_lambdas(write):
    module = write("""
        from operator_lib import operator, Operator
        @operator
        def inner(x): return x
        @operator(cpu=2)
        def outer(x):
            return inner(x) + 1
        first, second = operator(lambda x: inner(x)), operator(lambda x: x)
        def plain(x): return inner(x)
    """)
    for op in (module.outer, module.first, module.plain):
        assert [n.name for n in build(op).nodes if n.kind == "call"] == ["inner"]
    assert not [n for n in module.second.dag().nodes if n.kind == "call"]
    assert module.outer.dag().signature == "outer(x)"


def test_decorated_classes(write):
    module = write("""
        from operator_lib import Operator, operator
        class A(Operator):
            def forward(self, x): return x
        @operator
        class Bar:
            def __init__(self, n=1): self.a = A()
            def forward(self, x): return self.a(x)
    """)
    assert [n.operator for n in module.Bar().dag().nodes if n.kind == "call"] == ["a"]
    assert [n.operator for n in module.Bar.dag().nodes if n.kind == "call"] == ["a"]


def test_nothing_of_the_users_runs(write):
    module = write("""
        from operator_lib import Operator
        ran = []
        class A(Operator):
            def forward(self, x): ran.append("forward")
        class P(Operator):
            def __init__(self): self.a = A()
            @property
            def prop(self):
                ran.append("property")
                return self.a
            def __getattr__(self, name):
                ran.append(name)
                raise AttributeError(name)
            def forward(self, x): return self.prop(self.other(x))
    """)
    op = module.P()
    module.ran.clear()
    op.dag()
    assert module.ran == []


def test_a_file_is_read_without_being_imported(tmp_path):
    from operator_lib.trace import build_from_file

    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("")
    (tmp_path / "pack" / "parts.py").write_text(
        "import does_not_exist\nfrom operator_lib import Operator\nopen(__file__ + '.ran', 'w')\n"
        "class Part(Operator):\n    def __init__(self, n): self.n = n\n    def forward(self, x): return x\n"
    )
    (tmp_path / "pack" / "main.py").write_text(
        "import torch_is_not_here\nfrom operator_lib import Operator\n"
        "from .parts import Part\nfrom . import parts as p\n"
        "class Main(Operator):\n    def __init__(self, n=2, op=None):\n"
        "        super().__init__()\n        self.one = Part(1)\n        self.more = [p.Part(i) for i in range(2)]\n"
        "        self.table = {'k': Part(3)}\n        self.op = op\n        self.many = [Part(i) for i in range(n)]\n"
        "    def forward(self, x):\n        x = self.one(x)\n        for m in self.more: x = m(x)\n"
        "        for m in self.many: x = m(x)\n        return self.table['k'](self.op(x))\n"
    )
    dag = build_from_file(str(tmp_path / "pack" / "main.py"), "Main")
    paths = [(n.operator, n.certainty) for n in dag.nodes if n.kind == "call"]
    assert paths == [
        ("one", "exact"), ("more.0", "exact"), ("more.1", "exact"), ("many.*", "may"), (None, "opaque"),
        ("table.k", "exact"),
    ]  # fmt: skip
    assert not list(tmp_path.glob("**/*.ran"))
    assert dag.node("one").file == "pack/main.py"


def test_a_name_that_is_not_there(tmp_path):
    import pytest

    from operator_lib.trace import build_from_file

    (tmp_path / "m.py").write_text("class A: pass\n")
    with pytest.raises(ValueError, match="defines no 'B'; it defines: A"):
        build_from_file(str(tmp_path / "m.py"), "B")


def test_explain_names_place_reason_and_fix(write):
    module = write("""
        from operator_lib import Operator
        class P(Operator):
            def forward(self, x, f):
                return getattr(self, x)(f(1))
    """)
    notes = module.P().dag().explain()
    assert [(n.line, n.reason) for n in notes] == [(4, "parameter"), (4, "dynamic-attribute")]
    assert all(n.fix and n.file == f"{module.__name__}.py" for n in notes)
    assert "coverage 0%" in str(notes)


def test_an_object_of_a_file_by_its_name(tmp_path):
    from operator_lib.trace import build_from_file

    (tmp_path / "m.py").write_text(
        "from operator_lib import Operator\n"
        "class A(Operator):\n    def forward(self, x): return x\n"
        "class P(Operator):\n    def __init__(self, op): self.op = op\n    def forward(self, x): return self.op(x)\n"
        "shared = P(A())\njob = P(shared)\n"
        "class Q(Operator):\n    def forward(self, x): return shared(x)\n"
    )
    assert [n.operator for n in build_from_file(str(tmp_path / "m.py"), "job").nodes if n.kind == "call"] == [
        "op",
        "op.op",
    ]
    assert [n.name for n in build_from_file(str(tmp_path / "m.py"), "Q").nodes if n.kind == "call"] == ["P", "A"]


def test_deep_nesting_ends_in_an_opaque_node(write):
    module = write("""
        from operator_lib import Operator
        class P(Operator):
            def __init__(self, n): self.inner = P(n - 1) if n else None
            def forward(self, x):
                if x:
                    for i in x:
                        with open(i) as f:
                            return [self.inner(v) for v in (f, x)]
    """)
    dag = module.P(60).dag()
    assert "limit" in {n.reason for n in dag.nodes}
    assert len([n for n in dag.nodes if n.kind == "call"]) >= 31


def test_an_attribute_from_a_package_that_is_not_read_is_opaque(tmp_path):
    from operator_lib.trace import build_from_file

    (tmp_path / "m.py").write_text(
        "from operator_lib import Operator\nfrom somewhere import Embed\n"
        "class P(Operator):\n    def __init__(self): self.embed = Embed()\n"
        "    def forward(self, x): return self.embed(x), self.embed.size()\n"
    )
    (call,) = [n for n in build_from_file(str(tmp_path / "m.py"), "P").nodes if n.kind == "call"]
    assert (call.name, call.reason) == ("self.embed", "outside-project")
