"""Random operator programs: text that runs, ends, and calls operators in every way that Python has.

Every number that a program computes is a small int, loops and recursions count down, and an operator raises
`ValueError` for some of them; so most programs reach most of their lines, and exceptions fly through all constructs.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

# What every program imports: one module `walk_base`, in another file.
BASE = """
import asyncio, contextlib, functools
from operator_lib import Operator, OperatorDict, OperatorList, Sequential, operator

def number(x, k=0):
    x = x if isinstance(x, int) else k
    if x % 11 == 7:
        raise ValueError(x)
    return (x * 3 + k) % 13

class Leaf(Operator):
    def __init__(self, k):
        self.k = k
    def forward(self, x=0, y=0, **named):
        return number(x, self.k)

class Waiting(Operator):
    def __init__(self, k):
        self.k = k
    async def forward(self, x=0):
        await asyncio.sleep(0)
        return number(x, self.k)

class Echo(Operator):
    def __init__(self, owner):
        self.owner, self.a = owner, Leaf(6)
    def forward(self, x, d=0):
        return self.owner.again(self.a(x), d)

def wrap(fn):
    @functools.wraps(fn)
    def inner(*args, **kwargs):
        return fn(*args, **kwargs)
    return inner

@operator
def glob(x):
    return number(x, 1)

def through(op, x):
    return op(x)

def twice(op, x, other=None):
    x = op(x)
    if x % 2:
        return x
    return (other or op)(x)

class Common(Operator):
    def __init__(self):
        self.a, self.b, self.c = Leaf(1), Leaf(2), Leaf(3)
        self.kids = [Leaf(4), Leaf(5)]
        self.table = {"p": Leaf(2), "q": Leaf(3)}
        self.seq = Sequential(Leaf(1), Leaf(2))
        self.listed = OperatorList([Leaf(1), Leaf(4)])
        self.named = OperatorDict({"k": Leaf(5)})
        self.alias = self.a
        self.part = functools.partial(self.b, 1)
        self.which = "c"
    def again(self, x, d=0):
        if d > 0:
            return self.echo(self.b(x), d - 1)
        return self.c(x)
    @property
    def head(self):
        return self.c
    @property
    def first(self):
        return self.a(1)
    @staticmethod
    def static(op, x):
        return op(x)
    @classmethod
    def klass(cls, op, x):
        return op(x)
    @wrap
    def decorated(self, x):
        return self.b(x)
    def both(self, x, op):
        return op(self.c(x))
    def even(self, x, d=3):
        return self.odd(self.a(x), d - 1) if d > 0 else x
    def odd(self, x, d=3):
        if d <= 0:
            return self.b(x)
        return self.even(x, d - 1)
    def down(self, d):
        if d <= 0:
            return self.c(d)
        x = self.down(d - 1)
        return self.a(x)
"""

HEAD = """
import asyncio, contextlib, functools
from operator_lib import Operator
from walk_base import Common, Echo, Leaf, Waiting, glob, number, through, twice, wrap
"""

# The names under which a class generated here reaches operators: `walks.counter` counts their calls.
CHILDREN = ("a", "b", "c", "seq", "alias", "part", "head")
CONTAINERS = ("kids", "table", "listed", "named")
ALIASES = ("m", "k", "o", "op")
GLOBALS = frozenset({"glob", "Leaf"})

Form = Callable[[int], str]


class Writer:
    """Writes one program with the choices of `random`."""

    def __init__(self, random: Random, size: int = 2) -> None:
        self.random = random
        self.size = size
        self.waits = random.random() < 0.2
        # Where the text being written stands.
        self.loops = 0
        self.counters = 0
        self.here_waits = False
        self.closed = 0
        self.parts: frozenset[str] = frozenset()
        self.yields = False
        self.inside = ""
        self.inherits = False
        self.callees: list[str] = []
        self.names = ["x", "y", "z"]

    def program(self) -> str:
        """The whole file; its last class is `Program`."""
        classes = [HEAD, self.operator("Inner", "Common", {}, size=1)]
        parts = {"n": "Inner()", "echo": "Echo(self)"}
        if self.chance(0.4):
            classes.append(self.operator("Stream", "Common", {}, size=1, yields=True))
            parts["stream"] = "Stream()"
        base = "Common"
        if self.chance(0.25):
            base, text = "Mixin, Common", self.pick("x", "self.a(x)", "self.mixed(x - 1) if x > 0 else self.c(x)")
            classes.append(f"class Mixin:\n    def mixed(self, x):\n        return self.b({text})\n")
        if self.chance(0.25):
            classes.append(self.operator("Middle", base, parts, size=1))
            classes.append(self.operator("Program", "Middle", parts, waits=self.waits))
        else:
            classes.append(self.operator("Program", base, parts, waits=self.waits))
        return "\n".join(classes)

    def operator(
        self, name: str, base: str, parts: dict[str, str], *, size: int = 0, waits: bool = False, yields: bool = False
    ) -> str:
        """One class with a forward and some helpers of random content."""
        self.parts, self.callees, self.inherits = frozenset(parts), [], False
        made = {} if base == "Middle" else dict(parts)
        if waits:
            made |= {"u": "Waiting(1)", "v": "Waiting(2)"}
        lines = [f"class {name}({base}):"]
        if made:
            lines += ["    def __init__(self):", "        super().__init__()"]
            lines += [f"        self.{child} = {value}" for child, value in made.items()]
        lines += [self.method("helper", "self, x, y=1", 0), self.method("gen", "self, x", 0, yields=True)]
        if waits:
            lines.append(self.method("later", "self, x", 0, waits=True))
        self.callees = ["self.helper({})", "self.both({}, self.a)", "self.decorated({})", "self.even({})"]
        self.callees.append("self.down(2)")
        if parts:
            self.callees += ["self.again({}, 2)", "self.echo({}, 1)", "self.n({})", "self.n({})"]
        if "Mixin" in base:
            self.callees.append("self.mixed({})")
        self.inherits = base == "Middle"
        lines.append(self.method("forward", "self, x, y=1", size or self.size, waits=waits, yields=yields))
        return "\n".join(lines)

    def method(self, name: str, parameters: str, size: int, waits: bool = False, yields: bool = False) -> str:
        outer, self.here_waits = self.here_waits, waits
        self.yields, self.inside = yields, name
        lines = ["y, z = 1, 2", "m = self.a"] if "y" not in parameters else ["z = 2", "m = self.a"]
        for _ in range(1 + self.random.randrange(size + 1)):
            lines += self.statement(size)
        if yields:
            lines.insert(1 + self.random.randrange(2), f"yield {self.expression(1)}")
            lines.append(self.pick("yield x", f"yield {self.expression(1)}", "yield from [x, y]"))
        else:
            lines.append(f"return {self.pick('x', 'y', self.expression(2))}")
        self.here_waits = outer
        text = "\n".join("        " + line for line in lines)
        return f"    {'async ' * waits}def {name}({parameters}):\n{text}\n"

    # --- choices ----------------------------------------------------------------------------------------------------

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def pick(self, *options: str) -> str:
        return options[self.random.randrange(len(options))]

    # --- expressions ------------------------------------------------------------------------------------------------

    def expression(self, depth: int) -> str:
        """Text of an expression whose value is a small int."""
        if depth <= 0 or self.chance(0.15):
            return self.pick(*self.names, "0", "1", "2", "4")
        if self.chance(0.45):
            return self.call(depth - 1)
        return _COMPOUND[self.random.randrange(len(_COMPOUND))](self, depth - 1)

    def operator_name(self) -> str:
        """Text that denotes an operator."""
        return self.pick("self.a", "self.b", "self.c", "self.alias", "m", "self.kids[0]", "self.table['q']", "self.seq")

    def call(self, depth: int) -> str:
        """Text that calls an operator, in one of many ways."""
        value = self.expression(depth)
        if self.inherits and self.inside == "forward" and not self.closed and self.chance(0.1):
            return f"super().forward({value})"
        if self.callees and self.chance(0.15):
            return self.pick(*self.callees).format(value)
        if self.here_waits and not self.closed and self.chance(0.4):
            return self.pick(*_AWAITED).format(value, self.expression(depth))
        if self.chance(0.35):
            return f"self.{self.pick('a', 'b', 'c')}({value})"
        return self.pick(*_CALLS).format(value, self.expression(depth), op=self.operator_name())

    def enclosed(self, text: Callable[[], str]) -> str:
        """Text written inside a lambda or comprehension."""
        self.closed += 1
        made = text()
        self.closed -= 1
        return made

    # --- statements -------------------------------------------------------------------------------------------------

    def block(self, size: int, loop: bool = False) -> list[str]:
        """Some statements, indented."""
        self.loops += loop
        lines = [line for _ in range(1 + self.chance(0.5)) for line in self.statement(size)]
        self.loops -= loop
        return ["    " + line for line in lines]

    def statement(self, size: int) -> list[str]:
        if size > 0 and self.chance(0.5):
            return _BLOCKS[self.random.randrange(len(_BLOCKS))](self, size - 1)
        if self.loops and self.chance(0.15):
            return [f"if {self.expression(1)}:", f"    {self.pick('break', 'continue')}"]
        return _SIMPLE[self.random.randrange(len(_SIMPLE))](self)

    def variable(self) -> str:
        return self.pick("x", "y", "z")

    def leave(self) -> list[str]:
        value = self.expression(1)
        way = self.pick(f"raise ValueError({value})", "return" if self.yields else f"return {value}")
        return [f"if {self.expression(1)} == {self.pick('0', '1', '3')}:", f"    {way}"] if self.chance(0.8) else [way]


_CALLS = (
    "self.a(x={0})", "self.c({0}, y={1})", "self.b(*[{0}])", "self.c(**{{'x': {0}}})",
    "self.kids[0]({0})", "self.kids[-1]({0})", "self.kids[{1} % 2]({0})", "self.table['p']({0})",
    "self.table['p' if {1} else 'q']({0})", "self.seq({0})", "self.listed[1]({0})", "self.named['k']({0})",
    "self.part({0})", "self.alias({0})", "self.head({0})", "(self.first + {0})", "getattr(self, 'a')({0})",
    "getattr(self, self.which)({0})", "self.static({op}, {0})", "self.klass({op}, {0})", "through({op}, {0})",
    "twice({op}, {0}, self.b)", "twice(self.a, {0})", "glob({0})", "Leaf(3)({0})", "m({0})", "(lambda v: {op}(v))({0})",
    "functools.partial({op}, {0})()", "sum(self.gen({0}))", "next(self.gen({0}))", "sum(list(self.gen({0}))[:2])",
    "self.a.submit({0}).result()", "sum(self.a.map([{0}, {1}]))", "sum(list(map({op}, [{0}, {1}])))",
    "max([{0}, {1}], key={op})", "sorted([{0}, {1}], key=lambda v: self.b(v))[0]", "[{op}, self.b][1]({0})",
    "{{'u': {op}, 'w': self.c}}['u']({0})", "({op} if {1} else self.c)({0})",
    "functools.reduce(lambda p, q: self.a(p), [{0}, {1}])",
    "self.both(x={0}, op={op})", "sum([self.kids[j]({0}) for j in range(2)])", "sum(k({0}) for k in self.kids)",
    "sum([k({0}) for k in self.kids if {1}])", "Leaf(4)({0})", "sum(filter(lambda v: self.c(v), [{0}, {1}]))",
    "next(iter([{op}]))({0})", "sum(o({0}) for o in (self.a, {op}))",
    "sum(v.__call__({0}) for v in [self.a])",
)  # fmt: skip

_AWAITED = (
    "(await self.u({0}))", "(await self.later({0}))", "sum(await asyncio.gather(self.u({0}), self.v({1})))",
    "sum([await self.u(j) for j in range(3)])",
)  # fmt: skip


def _comprehension(w: Writer, depth: int) -> str:
    source = w.pick("range({} % 3)", "(1, {})", "[2, {}, 0]").format(w.enclosed(lambda: w.expression(depth)))
    names, w.names = w.names, [*w.names, "i"]
    element = w.enclosed(lambda: w.expression(depth))
    test = f" if {w.enclosed(lambda: w.expression(depth))}" if w.chance(0.4) else ""
    more = f" for j in range({w.enclosed(lambda: w.expression(depth))} % 3)" if w.chance(0.2) else ""
    w.names = names
    inside = f"{element} for i in {source}{test}{more}"
    shapes = ("sum([{}])", "sum({})", "len({{{}}})", "sum({{i: {}}}.values())", "any({})")
    return w.pick(*shapes).format(inside)


def _lambda(w: Writer, depth: int) -> str:
    names, w.names = w.names, [*w.names, "v"]
    body = w.enclosed(lambda: w.expression(depth))
    w.names = names
    return f"(lambda v: {body})({w.expression(depth)})"


def _walrus(w: Writer, depth: int) -> str:
    value = w.expression(depth)
    return value if w.closed else f"({w.variable()} := {value})"


_COMPOUND: tuple[Callable[[Writer, int], str], ...] = (
    lambda w, d: f"({w.expression(d)} + {w.expression(d)})",
    lambda w, d: f"({w.expression(d)} and {w.expression(d)})",
    lambda w, d: f"({w.expression(d)} or {w.expression(d)})",
    lambda w, d: f"({w.expression(d)} or {w.expression(d)} and {w.expression(d)})",
    lambda w, d: f"({w.expression(d)} < {w.expression(d)} < {w.expression(d)})",
    lambda w, d: f"(not {w.expression(d)})",
    lambda w, d: f"({w.expression(d)} if {w.expression(d)} else {w.expression(d)})",
    lambda w, d: f"({w.expression(d)} if {w.expression(d)} else {w.expression(d)})",
    lambda w, d: f"[{w.expression(d)}, {w.expression(d)}][{w.expression(d)} % 2]",
    lambda w, d: f"int(f'{{self.{w.pick('a', 'b')}({w.expression(0)}):d}}')",
    _comprehension,
    _comprehension,
    _lambda,
    _walrus,
)


def _bind_alias(w: Writer) -> list[str]:
    return [w.pick(f"m = {w.operator_name()}", f"m = self.b if {w.expression(1)} else {w.operator_name()}")]


def _either_alias(w: Writer) -> list[str]:
    return [f"if {w.expression(1)}:", f"    m = {w.operator_name()}", f"{w.variable()} = m({w.expression(1)})"]


def _closure(w: Writer) -> list[str]:
    names, w.names = w.names, [*w.names, "v"]
    body = w.enclosed(lambda: w.expression(2))
    w.names = names
    return [
        f"f = {w.pick('lambda v: ' + body, 'self.helper', 'functools.partial(self.b, y=1)', 'm')}",
        f"{w.variable()} = f({w.expression(1)})",
    ]


def _local(w: Writer) -> list[str]:
    state = w.here_waits, w.loops, w.yields, w.inside
    w.here_waits, w.loops, w.yields, w.inside = False, 0, False, "local"
    body = w.block(1)
    w.here_waits, w.loops, w.yields, w.inside = state
    head = w.pick("def local(v, op=m):", "def local(v, w=1, *, op=self.b):", "def local(v, op=glob):")
    outer = "nonlocal x" if w.chance(0.3) else "x = v"
    tail = w.pick("return op(v) if op else v", "return v", f"return self.{w.pick('a', 'b')}(y)")
    use = [f"y = local({w.expression(1)})"] if w.chance(0.8) else []
    mark = ["@wrap"] if w.chance(0.2) else []
    return [*mark, head, f"    {outer}", "    y, z, m = 1, 2, self.c", *body, f"    {tail}", *use]


_SIMPLE: tuple[Callable[[Writer], list[str]], ...] = (
    lambda w: [f"{w.variable()} = {w.expression(2)}"],
    lambda w: [f"{w.variable()} = {w.expression(2)}"],
    lambda w: [f"{w.variable()} += {w.expression(2)}"],
    lambda w: [w.expression(2)],
    lambda w: [f"assert {w.expression(1)} != 5, {w.expression(1)}"],
    lambda w: w.leave(),
    _bind_alias,
    _either_alias,
    _closure,
    lambda w: [f"x, y = {w.expression(1)}, {w.expression(1)}"],
    lambda w: [f"ops = [{w.operator_name()}, {w.operator_name()}]", f"ops.append({w.operator_name()})",
               *w.pick(f"z = ops[0]({w.expression(1)})", "for o in ops:|    x = o(x)",
                       f"y = sum(o({w.expression(1)}) for o in ops)").split("|")],
    lambda w: [f"self.memory = {w.operator_name()}", f"x = self.memory({w.expression(1)})"],
)  # fmt: skip


def _if(w: Writer, size: int) -> list[str]:
    lines = [f"if {w.expression(2)}:", *w.block(size)]
    if w.chance(0.35):
        lines += [f"elif {w.expression(2)}:", *w.block(size)]
    if w.chance(0.5):
        lines += ["else:", *w.block(size)]
    return lines


def _for(w: Writer, size: int) -> list[str]:
    head = w.pick(f"for x in range({w.expression(1)} % 4):", f"for y in (1, {w.expression(1)}):", "for z in range(2):",
                  f"for x in self.gen({w.expression(1)}):")  # fmt: skip
    if "stream" in w.parts and w.inside == "forward" and w.chance(0.2):
        head = f"for y in self.stream({w.expression(1)}):"
    lines = [head, *w.block(size, loop=True)]
    return [*lines, "else:", *w.block(size)] if w.chance(0.3) else lines


def _children(w: Writer, size: int) -> list[str]:
    head, call = w.random.choice([
        ("for k in self.kids:", "x = k(x)"), ("for i, k in enumerate(self.kids):", "x = k(x + i)"),
        ("for k, v in zip(self.kids, (1, 2)):", "x = k(v)"), ("for k in reversed(self.kids):", "x = k(x)"),
        ("for i, k in self.table.items():", "x = k(x)"), ("for k in self.table.values():", "y = k(x)"),
        ("for k in self.listed:", "x = k(x)"), ("for k in (self.a, m):", "x = k(x)"),
        ("for k in self.kids:", "x = through(k, x)"), ("for i in range(2):", "x = self.kids[i](x)"),
        ("for k in self.kids:", "m = k"),
    ])  # fmt: skip
    before, after = w.block(size, loop=True), w.block(size, loop=True)
    return [head, *(before if w.chance(0.4) else []), f"    {call}", *(after if w.chance(0.5) else [])]


def _while(w: Writer, size: int) -> list[str]:
    w.counters += 1
    count = f"w{w.counters}"
    if w.chance(0.3):
        return [f"{count} = 3", "while True:", f"    {count} -= 1", f"    if {count} < 0:", "        break",
                *w.block(size, loop=True)]  # fmt: skip
    test = w.pick(f"{count} > 0 and {w.expression(1)}", f"{count} > {w.expression(1)} % 2", f"{count} > 0")
    lines = [f"{count} = {w.pick('2', '3')}", f"while {test}:", f"    {count} -= 1", *w.block(size, loop=True)]
    return [*lines, "else:", *w.block(size)] if w.chance(0.3) else lines


def _try(w: Writer, size: int) -> list[str]:
    lines = ["try:", *w.block(size), *w.block(size)]
    shape = w.random.randrange(5)
    if shape == 4:  # no break, continue or return in there
        lines += ["except* ValueError:", f"    {w.variable()} = {w.expression(2)}", "    x = 2"]
    if shape < 3:
        lines.append(w.pick("except ValueError:", "except (ValueError, TypeError) as e:", "except Exception:"))
        lines += w.block(size)
        if w.chance(0.2):
            lines += ["except BaseException:", *w.block(0), "    raise"]
        if w.chance(0.4):
            lines += ["else:", *w.block(size)]
    if shape != 0 and shape != 2:
        lines += ["finally:", *w.block(size)]
    return lines


def _match(w: Writer, size: int) -> list[str]:
    lines = [f"match {w.expression(2)} % 4:", "    case 1 | 2:", *_indent(w.block(size))]
    if w.chance(0.6):
        lines += [f"    case int() as q if {w.expression(1)}:", *_indent(w.block(size))]
    if w.chance(0.6):
        lines += ["    case _:", *_indent(w.block(size))]
    return lines


def _with(w: Writer, size: int) -> list[str]:
    manager = f"contextlib.nullcontext({w.expression(1)})"
    head = w.pick(f"{manager} as z", "contextlib.suppress(ValueError)", f"{manager}, {manager} as y")
    return [f"with {head}:", *w.block(size)]


def _indent(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


def _async(w: Writer, size: int) -> list[str]:
    if not w.here_waits:
        return _if(w, size)
    return w.random.choice([
        [f"y = await self.u({w.expression(1)})"],
        [f"x, y = await asyncio.gather(self.u({w.expression(1)}), self.later(z))", "z = await self.v(y)"],
        ["async with contextlib.AsyncExitStack() as z:", *w.block(size)],
    ])  # fmt: skip


_BLOCKS: tuple[Callable[[Writer, int], list[str]], ...] = (
    _if, _if, _if, _for, _for, _children, _while, _try, _try, _match, _with, lambda w, size: _local(w), _async,
)  # fmt: skip


def write(random: Random, size: int = 2) -> str:
    """A program."""
    return Writer(random, size).program()
