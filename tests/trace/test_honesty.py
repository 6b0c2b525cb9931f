"""What cannot be known is said, with its place, a reason and advice; following the advice makes it known."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

import pytest

from operator_lib.trace import build_from_file

HEAD = """
import asyncio, collections, contextvars, copy, ctypes, enum, functools, importlib, itertools, operator as op, os
import pickle, queue, random, sched, signal, sys, threading, types, weakref
from concurrent.futures import ThreadPoolExecutor
from operator_lib import Operator

class A(Operator):
    def forward(self, x=0):
        return x

class B(Operator):
    def forward(self, x=0):
        return x
"""


@dataclass(frozen=True)
class Part:
    """One program, in pieces."""

    forward: str
    init: str = "self.a, self.b = A(), B()"
    body: str = ""
    head: str = ""

    @property
    def source(self) -> str:
        init = "def __init__(self):\n" + _in(self.init)
        forward = "def forward(self, x=1):\n" + _in(self.forward)
        return f"{HEAD}\n{self.head}\nclass P(Operator):\n{_in(init)}\n{_in(self.body or 'pass')}\n{_in(forward)}\n"


def _in(text: str) -> str:
    return textwrap.indent(textwrap.dedent(text).strip("\n"), "    ")


TABLE = Part("return self.ops[x](x) if x in self.ops else x", "self.ops = {1: A(), 2: B()}")
GO = "space = {}\nexec('def go(self, x): return self.a(x)', space)"
CHILD = Part("return self.a(x)")

# name -> reason code, the program, and the program after following the advice.
ROWS: dict[str, tuple[str, Part, Part]] = {
    "getattr with a variable": ("dynamic-attribute", Part("return getattr(self, 'ab'[x % 2])(x)"), TABLE),
    "getattr with text from outside": (
        "dynamic-attribute",
        Part("return getattr(self, os.environ.get('WHICH', 'a'))(x)"),
        TABLE,
    ),
    "attrgetter with a variable": ("dynamic-attribute", Part("return op.attrgetter(str(x))(self)(x)"), TABLE),
    "vars with a variable": ("dynamic", Part("return vars(self)[str(x)](x)"), TABLE),
    "__dict__ with a variable": ("dynamic", Part("return self.__dict__[str(x)](x)"), TABLE),
    "methodcaller on an argument": ("parameter", Part("return x(1)"), CHILD),
    "an argument in a list": ("parameter", Part("for f in x: f(1)"), CHILD),
    "star arguments": ("parameter", Part("return self.use(*x)", body="def use(self, *fs):\n  return fs[0](1)"), CHILD),
    "eval": ("eval", Part("return eval('self.a(x)')"), CHILD),
    "exec": ("eval", Part("exec('self.a(x)')"), CHILD),
    "a lambda from eval": (
        "eval",
        Part("f = eval('lambda v: v')\nreturn f(x)"),
        Part("f = lambda v: self.a(v)\nreturn f(x)"),
    ),
    "compiled text": ("eval", Part("exec(compile('self.a(x)', 'f', 'exec'))"), CHILD),
    "a name in globals()": ("dynamic-name", Part("return globals()[x](1)"), TABLE),
    "a name in locals()": ("dynamic-name", Part("a = self.a\nreturn locals()['a'](x)"), CHILD),
    "a module by computed name": ("dynamic-import", Part("return importlib.import_module(x).run(1)"), CHILD),
    "unpickled": ("loaded", Part("return pickle.loads(x)(1)"), CHILD),
    "a global that a function assigns": (
        "global",
        Part("return MODEL(x)", head="MODEL = None\ndef load():\n  global MODEL\n  MODEL = A()"),
        CHILD,
    ),
    "a registry filled while running": (
        "dynamic",
        Part("return REGISTRY['a'](x)", head="REGISTRY = {}\ndef register():\n  REGISTRY.update(a=A())"),
        TABLE,
    ),
    "a thread": (
        "escapes",
        Part("threading.Thread(target=self.a, args=(x,)).start()"),
        Part("return self.a.submit(x).result()"),
    ),
    "an executor": (
        "escapes",
        Part("with ThreadPoolExecutor() as pool:\n  return pool.submit(self.a, x).result()"),
        Part("return self.a.submit(x).result()"),
    ),
    "a timer": ("escapes", Part("threading.Timer(1, self.a).start()"), CHILD),
    "a scheduler": ("escapes", Part("sched.scheduler().enter(1, 1, self.a)"), CHILD),
    "a signal handler": ("escapes", Part("signal.signal(signal.SIGUSR1, self.a)"), CHILD),
    "a finalizer": ("escapes", Part("weakref.finalize(x, self.a)"), CHILD),
    "an operator in a queue": (
        "escapes",
        Part("q = queue.Queue()\nq.put(self.a)\nreturn q.get()(x)"),
        Part("q = collections.deque([self.a])\nreturn q[0](x)"),
    ),
    "a weak reference": ("escapes", Part("return weakref.ref(self.a)()(x)"), CHILD),
    "a context variable": ("escapes", Part("v = contextvars.ContextVar('v')\nv.set(self.a)\nreturn v.get()(x)"), CHILD),
    "an argument of a C function": ("escapes", Part("return asyncio.get_event_loop().call_soon(self.a)"), CHILD),
    "a C callback": ("escapes", Part("return ctypes.CFUNCTYPE(None)(self.a)"), CHILD),
    "a list of them handed over": (
        "escapes",
        Part("queue.Queue().put([self.a, self.b])"),
        Part("for o in [self.a, self.b]: x = o(x)\nreturn x"),
    ),
    "a descriptor": (
        "descriptor",
        Part("return self.d(x)", head="class D:\n  def __get__(self, o, t): return A()", body="d = D()"),
        Part("return self.d(x)", body="@property\ndef d(self): return self.a"),
    ),
    "an attribute that __getattr__ makes": (
        "attribute",
        Part("return self.other(x)", body="def __getattr__(self, name): raise AttributeError(name)"),
        CHILD,
    ),
    "an attribute set by somebody else": (
        "attribute",
        Part("return self.later(x)", body="def prepare(self): self.later = self.a"),
        Part("return self.later(x)", init="self.later = A()"),
    ),
    "an attribute set under a computed name": (
        "attribute",
        Part("return self.later(x)", body="def prepare(self, n): setattr(self, n, self.a)"),
        Part("return self.later(x)", init="self.later = A()"),
    ),
    "a class made by type()": (
        "no-source",
        Part(
            "return self.made(x)",
            init="self.made = MADE()",
            head="forward = eval('lambda self, x: x')\nMADE = type('MADE', (Operator,), {'forward': forward})",
        ),
        Part("return self.made(x)", init="self.made = A()"),
    ),
    "a method made by exec": (
        "no-source",
        Part(
            "return self.go(x)",
            init="self.a = A()",
            head="space = {}\nexec('def go(self, x): return self.a(x)', space)",
            body="go = space['go']",
        ),
        Part("return self.go(x)", body="def go(self, x): return self.a(x)"),
    ),
    "methods that a metaclass makes": (
        "no-source",
        Part(
            "return self.made(x)",
            init="self.made = Made()",
            head="class Meta(type):\n  def __new__(m, n, b, s):\n    exec('def forward(self, x): return x', s)\n"
            "    return super().__new__(m, n, b, s)\nclass Made(Operator, metaclass=Meta): pass",
        ),
        Part("return self.made(x)", init="self.made = A()"),
    ),
    "a monkeypatched method": (
        "no-source",
        Part(
            "return self.go(x)",
            head="space = {}\nexec('def go(self, x): return x', space)",
            init="self.go = types.MethodType(space['go'], self)",
        ),
        Part("return self.go(x)", body="def go(self, x): return self.a(x)"),
    ),
    "a child without forward": (
        "no-forward",
        Part("return self.k(x)", init="self.k = K()", head="class K(Operator): pass"),
        Part("return self.k(x)", init="self.k = K()", head="class K(Operator):\n  def forward(self, x): return x"),
    ),
    "a generator that is sent its operators": (
        "dynamic",
        Part("def g():\n  o = yield\n  o(x)\ng().send(self.a)"),
        CHILD,
    ),
    "the result of a class that indexes itself": (
        "dynamic",
        Part("return Table[x](x)", head="class Table:\n  def __class_getitem__(cls, key): return {1: A()}[key]"),
        TABLE,
    ),
    "an operator out of a call chain": ("dynamic", Part("return x.get('op')(1)"), CHILD),
    "one of very many": (
        "dynamic-index",
        Part("return self.ops[x](x)", init="self.ops = [A() for _ in range(80)]"),
        Part("for o in self.ops: x = o(x)\nreturn x", init="self.ops = [A() for _ in range(80)]"),
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_it_is_said_where_and_why_and_what_to_do(write, name):
    reason, program, _ = ROWS[name]
    module = write(program.source)
    notes = [n for n in module.P().dag().explain() if n.certainty == "opaque"]
    assert reason in {n.reason for n in notes}, module.P().dag()
    (note, *_) = [n for n in notes if n.reason == reason]
    assert note.file == f"{module.__name__}.py"
    assert 0 < note.line <= len(program.source.splitlines())
    assert note.message
    assert note.fix
    assert note.reason in str(module.P().dag().explain())


@pytest.mark.parametrize("name", ROWS)
def test_the_advice_helps(write, name):
    _, program, mended = ROWS[name]
    assert write(program.source).P().dag().coverage < 1.0
    op = write(mended.source).P()
    assert op.dag().coverage == 1.0, op.dag().explain()
    assert [n for n in op.dag().nodes if n.kind == "call"], "the mended program still calls operators"


@pytest.mark.parametrize("name", ROWS)
def test_the_text_alone_claims_no_more_than_the_live_object(write, tmp_path, name):
    """Read as text, a program may be less certain, never certain of something else."""
    module = write(ROWS[name][1].source)
    read = build_from_file(str(tmp_path / f"{module.__name__}.py"), "P")
    assert [n for n in read.sites if n.certainty != "exact"], read
