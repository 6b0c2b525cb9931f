"""Ids and differences: what is the same program, and what has changed."""

import textwrap

import pytest

BASE = """
from operator_lib import Operator
from {helpers} import tidy

class A(Operator):
    def forward(self, x):
        return tidy(x)

class P(Operator):
    def __init__(self):
        self.a, self.b = A(), A()
    def forward(self, x):
        y = self.a(x)
        if y > 1:
            y = self.b(y)
        total = [self.a(v) for v in y]
        return total
"""
HELPERS = """
def tidy(x):
    return inner(x)

def inner(x):
    return x
"""

SAME = {
    "comment": ("y = self.a(x)", "y = self.a(x)  # why not\n        # more"),
    "formatting": ("y = self.a(x)", "y = (\n            self.a( x )\n        )"),
    "quotes and spaces": ("if y > 1:", "if   y>1 :"),
    "docstring": ("    def forward(self, x):\n        y", "    def forward(self, x):\n        '''Says.'''\n        y"),
    "moved": ("class P(Operator):", "\n\n\nclass P(Operator):"),
    "renamed local": ("total", "result"),
    "renamed loop variable": ("self.a(v) for v in", "self.a(w) for w in"),
}

DIFFERENT = {
    "argument": ("y = self.b(y)", "y = self.b(y + 1)", {"changed"}),
    "condition": ("if y > 1", "if y > 2", {"changed"}),
    "new call": ("return total", "return self.b(total)", {"added", "changed"}),
    "call gone": ("y = self.a(x)", "y = x", {"removed"}),
    "what is done with the result": ("y = self.a(x)", "y = self.a(x) + 1", {"changed"}),
    "other operator": ("y = self.b(y)", "y = self.a(y)", {"added", "removed"}),
}


@pytest.fixture
def graph(write):
    numbers = iter(range(100))

    def graph(old="", new="", helper=("", "")):
        helpers = f"helpers_{next(numbers)}"
        write(HELPERS.replace(*helper) if helper[0] else HELPERS, name="shared_helpers")
        del helpers
        source = BASE.format(helpers="shared_helpers")
        assert old in source
        return write(source.replace(old, new) if old else source, name="same_program").P().dag()

    return graph


@pytest.mark.parametrize("name", SAME)
def test_edits_without_meaning_change_nothing(graph, name):
    before, after = graph(), graph(*SAME[name])
    assert [n.id for n in before.nodes] == [n.id for n in after.nodes]
    difference = before.diff(after)
    assert not difference
    assert str(difference) == "no difference"


@pytest.mark.parametrize("name", DIFFERENT)
def test_edits_with_meaning_are_named(graph, name):
    old, new, kinds = DIFFERENT[name]
    difference = graph().diff(graph(old, new))
    found = {kind for kind in ("added", "removed", "changed") if getattr(difference, kind)}
    assert kinds <= found, str(difference)


def test_a_changed_helper_is_named_with_its_place(graph):
    before, after = graph(), graph(helper=("return x", "return x or 0"))
    assert [n.id for n in before.nodes] == [n.id for n in after.nodes]
    reasons = {r for c in before.diff(after).changed for r in c.reasons}
    assert any(r.startswith("via shared_helpers.py:4") and "inner" in r for r in reasons), reasons


def test_an_unrelated_statement_leaves_the_other_ids(graph):
    before, after = graph(), graph("y = self.a(x)", "extra = self.b(3)\n        y = self.a(x)")
    calls = {n.id for n in before.nodes if n.kind in ("call", "branch", "loop", "return")}
    assert calls <= {n.id for n in after.nodes}


def test_two_processes_give_the_same_text(tmp_path):
    import os
    import subprocess
    import sys

    (tmp_path / "shared_helpers.py").write_text(textwrap.dedent(HELPERS))
    (tmp_path / "prog.py").write_text(textwrap.dedent(BASE.format(helpers="shared_helpers")))
    command = [sys.executable, "-c", "import prog; print(prog.P().dag().to_json())"]
    texts = set()
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        texts.add(subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True).stdout)
    assert len(texts) == 1
