"""Source that is odd, broken, gone or enormous, and objects that must not be touched."""

from __future__ import annotations

import importlib
import sys
import types
import zipfile

import pytest

from operator_lib import Operator
from operator_lib.trace import build_from_file

PLAIN = "from operator_lib import Operator\nclass A(Operator):\n    def forward(self, x): return x\n"


def opaque(dag) -> set[str]:
    return {n.reason for n in dag.nodes if n.certainty == "opaque"}


def called(dag) -> list[str]:
    return [n.operator or n.name for n in dag.nodes if n.kind == "call"]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("    ", "\t"),
        PLAIN.replace("class A", "\f\nclass A"),
        "# -*- coding: latin-1 -*-\n# caf\xe9\n" + PLAIN,
    ],
    ids=["byte order mark", "windows lines", "tabs", "form feed", "latin-1"],
)
def test_files_as_editors_write_them(write, tmp_path, text):
    more = "class P(Operator):\n    def __init__(self): self.a = A()\n    def forward(self, x): return self.a(x)\n"
    ending = "\r\n" if "\r\n" in text else "\n"
    name = "odd_file"
    encoding = "latin-1" if "latin-1" in text else "utf-8"
    (tmp_path / f"{name}.py").write_bytes((text + more.replace("\n", ending)).encode(encoding))
    module = importlib.import_module(name)
    try:
        live, read = module.P().dag(), build_from_file(str(tmp_path / f"{name}.py"), "P")
    finally:
        del sys.modules[name]
    assert called(live) == called(read) == ["a"]
    assert live.node("a").code.endswith("self.a(x)")
    assert live.node("a").line == read.node("a").line


def test_a_file_that_is_no_python_says_where(tmp_path):
    (tmp_path / "m.py").write_text("x = 1\ndef f(:\n")
    with pytest.raises(ValueError, match="line 2: invalid syntax"):
        build_from_file(str(tmp_path / "m.py"), "P")
    (tmp_path / "n.py").write_bytes(b"x = 1\0\n")
    with pytest.raises(ValueError, match="null bytes"):
        build_from_file(str(tmp_path / "n.py"), "P")
    (tmp_path / "d.py").write_text("x = " + "(" * 1000 + ")" * 1000 + "\n")
    with pytest.raises(ValueError, match="cannot read"):
        build_from_file(str(tmp_path / "d.py"), "P")


def test_a_syntax_error_in_another_file_costs_only_what_is_in_it(tmp_path):
    (tmp_path / "broken.py").write_text("def f(:\n")
    (tmp_path / "m.py").write_text(
        PLAIN + "from broken import Part\nclass P(Operator):\n    def __init__(self): self.a, self.p = A(), Part()\n"
        "    def forward(self, x): return self.p(self.a(x))\n"
    )
    dag = build_from_file(str(tmp_path / "m.py"), "P")
    assert [(n.name, n.certainty) for n in dag.sites] == [("A", "exact"), ("self.p", "opaque")]


def test_a_file_that_became_no_python_after_it_was_imported(write, tmp_path):
    module = write(PLAIN)
    op = module.A()
    (tmp_path / f"{module.__name__}.py").write_text("def f(:\n")
    assert opaque(op.dag()) == {"not-python"}
    assert op(3) == 3


def test_a_file_that_was_deleted_after_it_was_imported(write, tmp_path):
    module = write(PLAIN)
    (tmp_path / f"{module.__name__}.py").unlink()
    assert opaque(module.A().dag()) == {"no-source"}


def test_a_zipped_package(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "lib.zip", "w") as archive:
        archive.writestr("zipped_parts.py", PLAIN + "class P(A):\n    def __init__(self): self.a = A()\n")
    monkeypatch.syspath_prepend(str(tmp_path / "lib.zip"))
    module = importlib.import_module("zipped_parts")
    assert not opaque(module.P().dag())


def test_an_expression_a_thousand_levels_deep(write):
    deep = " + ".join(["x"] * 1500)
    module = write(
        f"from operator_lib import Operator\nclass P(Operator):\n    def forward(self, x):\n        return {deep}\n"
    )
    assert module.P().dag().nodes


def test_a_literal_of_three_thousand_elements(write):
    module = write(
        PLAIN + f"class P(Operator):\n    def __init__(self): self.a = A()\n    def forward(self, x):\n"
        f"        table = {list(range(3000))}\n        return self.a(table[x])\n"
    )
    assert called(module.P().dag()) == ["a"]


def test_three_hundred_branches(write):
    lines = "".join(f"        if x == {i}: x = self.a(x)\n" for i in range(300))
    module = write(
        PLAIN + f"class P(Operator):\n    def __init__(self): self.a = A()\n    def forward(self, x):\n"
        f"{lines}        return x\n"
    )
    dag = module.P().dag()
    assert len(called(dag)) == 300
    assert {n.certainty for n in dag.nodes if n.kind == "call"} == {"may"}


def test_eight_thousand_lines(write, tmp_path):
    methods = "".join(f"    def m{i}(self, x):\n        y = x + {i}\n        return self.a(y)\n" for i in range(2600))
    module = write(
        PLAIN + f"class P(Operator):\n    def __init__(self): self.a = A()\n{methods}"
        "    def forward(self, x): return self.m2599(self.m1(x))\n"
    )
    live, read = module.P().dag(), build_from_file(str(tmp_path / f"{module.__name__}.py"), "P")
    assert called(live) == called(read) == ["self.m1", "a", "self.m2599", "a"]


def test_monkeypatched_methods(write):
    module = write(
        PLAIN
        + """
class P(Operator):
    def __init__(self): self.a, self.b = A(), A()
    def go(self, x): return self.a(x)
    def forward(self, x): return self.go(x)
def other(self, x): return self.b(x)
def whole(self, x): return self.b(self.b(x))
"""
    )
    one, two, three = module.P(), module.P(), module.P()
    one.go = types.MethodType(module.other, one)
    two.forward = types.MethodType(module.whole, two)
    assert called(one.dag()) == ["self.go", "b"]
    assert called(two.dag()) == ["b", "b"]
    module.P.go = module.other
    assert called(three.dag()) == ["self.go", "b"]


def test_metaprogrammed_classes(write):
    module = write(
        PLAIN
        + """
def forward(self, x): return self.a(x)
def init(self): self.a = A()
Made = type("Made", (Operator,), {"__init__": init, "forward": forward})
class Meta(type):
    def __new__(m, n, b, s):
        s["forward"] = forward
        return super().__new__(m, n, b, s)
class ByMeta(Operator, metaclass=Meta):
    def __init__(self): self.a = A()
def swapped(cls):
    class Other(cls):
        def forward(self, x): return self.a(self.a(x))
    return Other
@swapped
class Replaced(Operator):
    def __init__(self): self.a = A()
    def forward(self, x): return self.a(x)
"""
    )
    assert called(module.Made().dag()) == ["a"]
    assert called(module.ByMeta().dag()) == ["a"]
    assert called(module.Replaced().dag()) == ["a", "a"]


def test_children_with_one_name_by_inheritance(write):
    module = write(
        PLAIN
        + """
class B(Operator):
    def forward(self, x): return x
class Base(Operator):
    def __init__(self): self.part = A()
    def forward(self, x): return self.part(x)
class P(Base):
    def __init__(self):
        super().__init__()
        self.part = B()
    def forward(self, x): return super().forward(self.part(x))
"""
    )
    assert [n.name for n in module.P().dag().nodes if n.operator == "part"] == ["B", "B"]


UNTOUCHABLE = """
class Untouchable:
    def _no(self, *a, **k): raise AssertionError("ran")
    __getattribute__ = __eq__ = __hash__ = __bool__ = __iter__ = __repr__ = __len__ = __getitem__ = __call__ = _no
    __contains__ = __str__ = __format__ = __index__ = _no
class Loud(list):
    def __iter__(self): raise AssertionError("ran")
    __len__ = __getitem__ = __eq__ = __bool__ = __iter__
class LoudDict(dict):
    def items(self): raise AssertionError("ran")
    __iter__ = __len__ = __getitem__ = keys = values = __eq__ = items
"""


def test_nothing_of_the_users_runs_whatever_the_objects_do(write):
    module = write(
        PLAIN
        + UNTOUCHABLE
        + """
class P(Operator):
    shared = Untouchable()
    def __init__(self):
        self.a = A()
        self.odd = Untouchable()
        self.inside = [Untouchable(), {"k": Untouchable()}, (Untouchable(),)]
        self.loud, self.table = Loud([A()]), LoudDict(k=A())
    @property
    def bad(self): raise AssertionError("ran")
    def __getattr__(self, name): raise AssertionError("ran " + name)
    def forward(self, x, d=GLOBAL):
        y = self.odd + self.shared + GLOBAL
        if self.odd: y = self.odd[0]
        for v in self.odd: y = v
        for v in self.inside: y = v
        for v in self.loud: y = v
        z = [*self.loud, *self.table], self.inside[0], {**self.table}, self.bad, self.missing
        return self.a(y, f"{self.odd}", len(self.loud), self.odd == self.shared, self.odd.x)
""".replace("class P", "GLOBAL = Untouchable()\nclass P", 1)
    )
    dag = module.P().dag()
    assert "a" in called(dag)


def test_an_operator_that_cannot_be_compared_or_printed(write):
    module = write(
        PLAIN
        + """
class Shy(Operator):
    def _no(self, *a): raise AssertionError("ran")
    __eq__ = __hash__ = __bool__ = __iter__ = __repr__ = __len__ = _no
    def forward(self, x): return x
class P(Operator):
    def __init__(self): self.s, self.many = Shy(), [Shy(), Shy()]
    def forward(self, x):
        for m in self.many: x = m(x)
        return self.s(x)
"""
    )
    assert called(module.P().dag()) == ["many.0", "many.1", "s"]


def test_an_operator_made_of_a_c_function():
    from operator_lib import operator

    dag = operator(len).dag()
    assert opaque(dag) == {"no-source"}
    assert operator(len)([1]) == 1


def test_a_class_without_forward_says_so(write):
    module = write("from operator_lib import Operator, operator\n@operator\nclass P:\n    def run(self, x): return x\n")
    assert opaque(module.P().dag()) == {"no-forward"}
    assert opaque(type("Bare", (Operator,), {})().dag()) == {"no-forward"}
