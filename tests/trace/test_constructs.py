"""Every construct of Python in which an operator can be called."""

import pytest

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
        "try:\n  self.a(x)\n  self.b(x)\nexcept ValueError as e:\n  self.c(e)\nelse:\n  self.a(1)\nfinally:\n  self.b(x)",
        "a! b? a? c? b!",
    ),
    "except star": ("try:\n  self.a(x)\nexcept* ValueError:\n  self.b(x)", "a! b?"),
    "match": (
        "match self.a(x):\n  case [1, w] if self.b(w):\n    self.c(w)\n  case {'k': v, **rest}:\n    self.b(v)\n  case _:\n    self.c(x)",
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


def summary(dag) -> str:
    marks = {"exact": "!", "may": "?", "opaque": "-"}
    shown = [n for n in dag.nodes if n.certainty == "opaque" or (n.kind == "call" and not is_helper(dag, n))]
    return " ".join(f"{n.operator}{marks[n.certainty]}" for n in shown)


def is_helper(dag, node) -> bool:
    return node.operator is None and node.name not in ("A", "glob")


def program(body: str) -> str:
    lines = "\n".join("        " + line for line in body.splitlines())
    return HEAD + f"    def forward(self, x, i=0):\n{lines}\n"


@pytest.mark.parametrize("name", CASES)
def test_the_call_is_found(write, name):
    body, expected = CASES[name]
    dag = write(program(body)).P().dag()
    assert summary(dag) == expected, f"\n{dag}"


@pytest.mark.parametrize("name", [n for n in CASES if n not in ("missing", "escapes")])
def test_the_text_alone_gives_the_same_graph(write, tmp_path, name):
    from operator_lib.trace import build_from_file

    module = write(program(CASES[name][0]))
    read = build_from_file(str(tmp_path / f"{module.__name__}.py"), "P")
    assert summary(read) == summary(module.P().dag()), f"\n{read}"


def test_await_async_for_async_with(write):
    module = write("""
        import asyncio
        from operator_lib import Operator
        class A(Operator):
            async def forward(self, x): return x
        class P(Operator):
            def __init__(self):
                self.a, self.b = A(), A()
            async def forward(self, x):
                async with self.a(x) as h:
                    await self.b(h)
                async for i in self.a(x):
                    await self.b(i)
                await asyncio.gather(self.a(1), self.b(2))
                return [await self.a(i) async for i in x]
    """)
    assert summary(module.P().dag()) == "a! b! a! b? a! b! a?"


def test_inheritance_and_super(write):
    module = write("""
        from operator_lib import Operator
        class A(Operator):
            def forward(self, x): return x
        class Base(Operator):
            def __init__(self): self.a = A()
            def forward(self, x): return self.a(x)
        class Sub(Base):
            def __init__(self):
                super().__init__()
                self.b = A()
            def forward(self, x): return self.b(super().forward(x))
    """)
    dag = module.Sub().dag()
    assert summary(dag) == "a! b!"


def test_an_operator_that_contains_itself_ends(write):
    module = write("""
        from operator_lib import Operator
        class Loop(Operator):
            def __init__(self): self.me = self
            def forward(self, x): return self.me(x) if x else 0
    """)
    dag = module.Loop().dag()
    assert any(n.reason.startswith("recursion to") for n in dag.nodes)


def test_a_helper_object_that_holds_operators(write):
    module = write("""
        from operator_lib import Operator
        class A(Operator):
            def forward(self, x): return x
        class Box:
            def __init__(self, op): self.op = op
            def use(self, x): return self.op(x)
        class P(Operator):
            def __init__(self):
                self.a = A()
                self.box = Box(self.a)
            def forward(self, x): return self.box.use(x)
    """)
    assert [n.operator for n in module.P().dag().nodes if n.kind == "call"] == [None, "a"]


def test_torch_like_modules_are_followed_without_torch(write):
    module = write("""
        class Module:
            def __init__(self): self.__dict__["_modules"] = {}
            def __setattr__(self, name, value):
                self._modules[name] = value if isinstance(value, Module) else self.__dict__.__setitem__(name, value)
            def __getattr__(self, name):
                try: return self.__dict__["_modules"][name]
                except KeyError: raise AttributeError(name)
            def __call__(self, *a): return self.forward(*a)
            def named_children(self): return iter(self._modules.items())
            def forward(self, x): return x
        from operator_lib import Operator
        class Net(Module):
            def __init__(self):
                super().__init__()
                self.inner = Module()
            def forward(self, x): return self.inner(x)
        class P(Operator):
            def __init__(self): self.net = Net()
            def forward(self, x): return self.net(x)
    """)
    dag = module.P().dag()
    assert [n.operator for n in dag.nodes if n.operator] == ["net", "net.inner"]
