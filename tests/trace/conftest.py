"""Programs written to files, imported, and taken away again."""

from __future__ import annotations

import importlib
import itertools
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

_numbers = itertools.count()


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Callable[..., ModuleType]]:
    """``write(source)`` imports a new module; ``write(source, name="helpers")`` one with that name."""
    made: list[str] = []
    sys.path.insert(0, str(tmp_path))

    def write(source: str, name: str = "") -> ModuleType:
        name = name or f"program_{next(_numbers)}"
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source).lstrip("\n"))
        importlib.invalidate_caches()
        sys.modules.pop(name, None)
        made.append(name)
        return importlib.import_module(name)

    yield write
    sys.path.remove(str(tmp_path))
    for name in made:
        sys.modules.pop(name, None)


# Every construct of Python in which an operator can be called.
HEAD = """
import asyncio, functools
from operator_lib import Operator, OperatorDict, OperatorList, Sequential, operator

class A(Operator):
    def forward(self, x=0, *rest, **named):
        return x

def wrap(fn):
    @functools.wraps(fn)
    def inner(*args, **kwargs):
        return fn(*args, **kwargs)
    return inner

@operator
def glob(x):
    return x

def helper(op, x):
    return op(x)

class P(Operator):
    def __init__(self):
        self.a, self.b, self.c = A(), A(), A()
        self.kids = [A(), A()]
        self.named = {"p": A(), "q": A()}
        self.seq = Sequential(A(), A())
        self.listed = OperatorList([A(), A()])
        self.dicted = OperatorDict({"k": A()})
        self.alias = self.a
        self.part = functools.partial(self.b, 1)
        self.which = "c"
    @property
    def head(self):
        return self.c
    @staticmethod
    def static(op, x):
        return op(x)
    @classmethod
    def klass(cls, op, x):
        return op(x)
    @wrap
    def decorated(self, x):
        return self.b(x)
    def method(self, x, op):
        return op(self.c(x))
    def gen(self, xs):
        for x in xs:
            yield self.a(x)
    def recursive(self, n):
        return self.a(n) if n == 0 else self.recursive(n - 1)
"""

# body of forward(self, x, i=0) -> calls in program order: path, certainty ("!" exact, "?" may, "-" opaque)
CASES = {
    "nested": ("return self.a(self.b(x) + 1)", "b! a!"),
    "keyword": ("return self.a(x=self.b(x))", "b! a!"),
    "starred": ("return self.a(*self.b(x), **self.c(x))", "b! c! a!"),
    "if": ("if self.a(x):\n  self.b(x)\nelif self.c(x):\n  self.b(x)\nelse:\n  self.c(x)", "a! b? c? b? c?"),
    "ternary": ("return self.a(x) if self.b(x) else self.c(x)", "b! a? c?"),
    "boolop": ("return self.a(x) and self.b(x) or self.c(x)", "a! b? c?"),
    "compare": ("return 1 < self.a(x) < self.b(x)", "a! b?"),
    "compare chain": ("return 1 < x < self.a(x)", "a?"),
    "for": ("for q in self.a(x):\n  self.b(q)\nelse:\n  self.c(x)", "a! b? c!"),
    "while": ("while self.a(x):\n  self.b(x)", "a! b?"),
    "while true": ("while True:\n  x = self.a(x)\n  if x: break\n  self.b(x)", "a! b?"),
    "for else after break": ("for q in x:\n  if q: break\nelse:\n  self.a(x)", "a?"),
    "with": ("with self.a(x) as h, self.b(h) as g:\n  self.c(g)", "a! b! c!"),
    "try": (
        "try:\n  self.a(x)\n  self.b(x)\nexcept ValueError as e:\n  self.c(e)\n"
        "else:\n  self.a(1)\nfinally:\n  self.b(x)",
        "a! b? a? c? b!",
    ),
    "except star": ("try:\n  self.a(x)\nexcept* ValueError:\n  self.b(x)", "a! b?"),
    "match": (
        "match self.a(x):\n  case [1, w] if self.b(w):\n    self.c(w)\n  case {'k': v, **rest}:\n    self.b(v)\n"
        "  case _:\n    self.c(x)",
        "a! b? c? b? c?",
    ),
    "list comprehension": ("return [self.a(v) for v in self.b(x) if self.c(v)]", "b! c? a?"),
    "dict comprehension": ("return {self.a(k): self.b(v) for k, v in x}", "a? b?"),
    "generator expression": ("return sum(self.a(v) for v in x)", "a?"),
    "lambda called": ("f = lambda v: self.a(v)\nreturn f(x)", "a!"),
    "lambda handed over": ("return sorted(x, key=lambda v: self.a(v))", "a!"),
    "lambda returned": ("return lambda v: self.a(v)", "a!"),
    "map": ("return list(map(self.a, x))", "a?"),
    "f-string": ("return f'{self.a(x)!r:>{self.b(x)}}'", "a! b!"),
    "walrus": ("return (y := self.a(x)) + self.b(y)", "a! b!"),
    "assignment targets": ("x[self.a(x)], x.y = self.b(x), 1", "b! a!"),
    "augmented": ("x += self.a(x)", "a!"),
    "augmented item": ("x[self.b(x)] += self.a(x)", "b! a!"),
    "annotated": ("y: int = self.a(x)\nreturn y", "a!"),
    "delete": ("del x[self.a(x)]", "a!"),
    "assert": ("assert self.a(x), self.b(x)", "a! b?"),
    "raise": ("raise self.a(x) from self.b(x)", "a! b!"),
    "slice": ("return x[self.a(x):self.b(x)]", "a! b!"),
    "yield": ("yield self.a(x)\nyield from self.b(x)", "a! b!"),
    "early return": ("if x:\n  return 1\nreturn self.a(x)", "a?"),
    "unreachable": ("return x\nself.a(x)", "a?"),
    "after raise": ("if x:\n  raise ValueError(x)\nreturn self.a(x)", "a!"),
    "loop over children": ("for k in self.kids:\n  x = k(x)\nreturn x", "kids.0! kids.1!"),
    "enumerate": ("for i, k in enumerate(self.kids):\n  x = k(x)", "kids.0! kids.1!"),
    "zip": ("for k, v in zip(self.kids, x):\n  k(v)", "kids.0! kids.1!"),
    "reversed": ("for k in reversed(self.kids):\n  x = k(x)", "kids.1! kids.0!"),
    "dict items": ("for n, k in self.named.items():\n  k(n)", "named.p! named.q!"),
    "comprehension over children": ("return [k(x) for k in self.kids]", "kids.0! kids.1!"),
    "index": ("return self.kids[0](x) + self.kids[-1](x)", "kids.0! kids.1!"),
    "index range": ("for j in range(2):\n  x = self.kids[j](x)", "kids.0! kids.1!"),
    "unknown index": ("return self.kids[i](x)", "kids.0? kids.1?"),
    "key": ("return self.named['p'](x)", "named.p!"),
    "sequential": ("return self.seq(x)", "seq! seq.steps.0! seq.steps.1!"),
    "operator list": ("return self.listed[1](x)", "listed.items.1!"),
    "operator list loop": ("for k in self.listed:\n  k(x)", "listed.items.0! listed.items.1!"),
    "operator dict": ("return self.dicted['k'](x)", "dicted.by_name.k!"),
    "alias": ("m = self.b\nreturn m(x)", "b!"),
    "either alias": ("m = self.a if x else self.b\nreturn m(x)", "a? b?"),
    "alias that changes in a loop": ("m = self.a\nfor v in x:\n  m(v)\n  m = self.b", "a? b?"),
    "attribute alias": ("return self.alias(x)", "a!"),
    "partial": ("return self.part(x)", "b!"),
    "local partial": ("f = functools.partial(self.a, 1)\nreturn f(x)", "a!"),
    "getattr": ("return getattr(self, 'a')(x)", "a!"),
    "getattr of a constant attribute": ("return getattr(self, self.which)(x)", "c!"),
    "property": ("return self.head(x)", "c!"),
    "static method": ("return self.static(self.a, x)", "a!"),
    "class method": ("return self.klass(self.a, x)", "a!"),
    "decorated method": ("return self.decorated(x)", "b!"),
    "helper method": ("return self.method(x, self.a)", "c! a!"),
    "helper function": ("return helper(self.a, x)", "a!"),
    "generator method": ("return list(self.gen(x))", "a?"),
    "local function": ("def f(v):\n  return self.a(v)\nreturn f(x)", "a!"),
    "decorated local function": ("@wrap\ndef f(v):\n  return self.a(v)\nreturn f(x)", "a!"),
    "uncalled local function": ("def f(v):\n  return self.a(v)\nreturn x", "a!"),
    "made here": ("return A()(x)", "None!"),
    "global operator": ("return glob(x)", "None!"),
    "forward": ("return self.a.forward(x)", "a!"),
    "op.map": ("return self.a.map(x)", "a?"),
    "op.submit": ("return self.a.submit(x).result()", "a!"),
    "appended": ("ops = []\nops.append(self.a)\nops.append(self.b)\nfor o in ops:\n  o(x)", "a! b!"),
    "dispatch table": ("return {'u': self.a, 'v': self.b}[x](x)", "a? b?"),
    "set on self": ("self.tmp = self.a\nreturn self.tmp(x)", "a!"),
    "parameter": ("return x(1)", "None-"),
    "computed name": ("return getattr(self, x)(1)", "None-"),
    "missing": ("return self.missing(x)", "None-"),
    "escapes": ("import threading\nthreading.Thread(target=self.a)", "a-"),
    "eval": ("return eval('self.a(1)')", "None-"),
}


def program(body: str) -> str:
    lines = "\n".join("        " + line for line in body.splitlines())
    return HEAD + f"    def forward(self, x, i=0):\n{lines}\n"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The fixture `case`: source of a program and the calls that are in it."""
    if "case" in metafunc.fixturenames:
        cases = [pytest.param((program(body), calls), id=name) for name, (body, calls) in CASES.items()]
        metafunc.parametrize("case", cases)


@pytest.fixture
def all_cases() -> str:
    """One program with everything in it."""
    return program("\n".join(body.replace("return ", "y = ") for body, _ in CASES.values() if "yield" not in body))


@pytest.fixture
def programs() -> dict[str, str]:
    """The programs of all cases, by name."""
    return {name: program(body) for name, (body, _) in CASES.items()}


@pytest.fixture
def around() -> Callable[[str], str]:
    """Makes a program of the body of `forward`."""
    return program
