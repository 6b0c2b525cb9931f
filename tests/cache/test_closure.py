"""The digest of an operator's code: another one for every program that does something else, the same everywhere."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from edits import FILES
from pairs import PAIRS, sides
from programs import Program

from operator_lib import errors
from operator_lib.trace.closure import digest

Load = Callable[[str], ModuleType]


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """A module made of some source, in a file and under a name of its own."""
    names: list[str] = []

    def load(source: str) -> ModuleType:
        name = f"cache_{tmp_path.name}_{len(names)}"
        (tmp_path / f"{name}.py").write_text(source)
        spec = importlib.util.spec_from_file_location(name, tmp_path / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        names.append(name)
        spec.loader.exec_module(module)
        return module

    yield load
    for name in names:
        del sys.modules[name]


@pytest.mark.parametrize("name", PAIRS)
def test_programs_that_do_something_else_are_told_apart(name: str, load: Load):
    if "pydantic" in name:
        pytest.importorskip("pydantic")
    one, other = sides(PAIRS[name])
    first = digest(load(one).op)
    assert first != digest(load(other).op)
    assert first == digest(load("# Somewhere else.\n\n" + one).op), "and the same program is the same"


def test_it_is_the_same_in_every_process(tmp_path: Path):
    code = "from pipeline import Pipeline; from operator_lib.trace.closure import digest; print(digest(Pipeline()))"
    here, there = Program(tmp_path / "a", tmp_path, FILES), Program(tmp_path / "b" / "c", tmp_path, FILES)
    assert len({p.run(code, PYTHONHASHSEED=s) for p, s in itertools.product((here, there), "012")}) == 1


def test_values_of_attributes_are_no_part_of_it(load: Load):
    scale = load(
        "from operator_lib import Operator\nclass S(Operator):\n    def forward(self, x): return x * self.k\n"
    ).S
    one, two = scale(), scale()
    one.k, two.k = 1, [2]
    assert digest(one) == digest(two)


def test_functions_that_attributes_hold_are(load: Load):
    made = load("from operator_lib import Operator\nclass S(Operator):\n    def forward(self, x): return self.f(x)\n")
    one, two = made.S(), made.S()
    one.f, two.f = (lambda x: x), (lambda x: x + 1)
    assert digest(one) != digest(two)


SOURCE = """
import sqlite3
from operator_lib import operator
db = sqlite3.connect(":memory:")

@operator
def op(x):
    return db, eval(x), K
"""


def test_what_cannot_be_told_is_refused_or_left_out(load: Load):
    one, other = load(SOURCE + "K = 1\n").op, load(SOURCE + "K = 2\n").op
    with pytest.raises(errors.CacheError, match="op cannot be cached: the global 'db' of op is sqlite3.Connection"):
        digest(one)
    assert digest(one, strict=False) == digest(one, strict=False)
    assert digest(one, strict=False) != digest(other, strict=False)


def test_it_notices_what_changes_in_this_process(load: Load, monkeypatch: pytest.MonkeyPatch):
    module = load(
        "from operator_lib import operator\nT = {'a': [1]}\nclass A:\n    def m(self): return 1\n"
        "def f(x, k=1): return x\n@operator\ndef op(x): return f(x), T, A().m()\n"
    )
    seen = {digest(module.op)}
    module.T["a"].append(2)
    seen.add(digest(module.op))
    monkeypatch.setattr(module.A, "m", lambda self: 2)
    seen.add(digest(module.op))
    module.f.__defaults__ = (2,)
    seen.add(digest(module.op))
    module.f.__code__ = (lambda x, k: k).__code__
    seen.add(digest(module.op))
    module.f = lambda x: None
    seen.add(digest(module.op))
    assert len(seen) == 6


def test_a_file_edited_behind_the_back_of_the_process_changes_nothing(load: Load):
    source = "from operator_lib import operator\n@operator\ndef op(x): return 1\n"
    module = load(source)
    before = digest(module.op)
    Path(module.__file__ or "").write_text(source.replace("1", "2"))
    assert digest(module.op) == before
    edited = load(source.replace("1", "2"))
    assert digest(edited.op) != before, "what runs counts"
