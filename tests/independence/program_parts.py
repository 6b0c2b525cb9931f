"""What random programs are made of: the bodies of their operators, and shapes of statements around the calls."""

# ruff: noqa: E501  # a body a line

HEAD = """
import asyncio
import contextlib
import dataclasses

from operator_lib import Operator, operator

SHARED = [1, 2]
TABLE = {"a": 1}
LOG = []
LIMIT = 40


class Box:
    def __init__(self, value):
        self.value = value


BOX = Box(3)


@dataclasses.dataclass
class Point:
    a: int
    b: list = dataclasses.field(default_factory=list)

    def far(self):
        return self.a + len(self.b)

    def grow(self, v):
        self.b.append(v)
        SHARED.append(v)
        return self


@contextlib.contextmanager
def noted(x):
    LOG.append(("enter", x))
    yield x
    LOG.append(("leave", x))


def helper(x):
    return x * 2 + len(SHARED)


def noisy(x):
    LOG.append(("noisy", x))
    return x
"""

# Bodies of children: text, state read, state written. `x` is an int, `xs` a list of ints.
CHILDREN = [
    ("return x + 1", "", ""),
    ("return x * self.k", "", ""),
    ("return [x, x + self.k]", "", ""),
    ("return x - LIMIT", "", ""),
    ("if x % 5 == 3:\n    raise ValueError(x)\nreturn x + 2", "", ""),
    ("if x % 7 == 4:\n    raise KeyError('k', x)\nreturn 10 // (x % 3)", "", ""),
    ("self.n += 1\nreturn x + self.n", "n", "n"),
    ("self.seen.append(x)\nreturn len(self.seen)", "seen", "seen"),
    ("SHARED.append(x % 4)\nreturn x", "SHARED", "SHARED"),
    ("return x + len(SHARED)", "SHARED", ""),
    ("return x + sum(SHARED[-2:])", "SHARED", ""),
    ("TABLE['a'] += x % 3\nreturn TABLE['a']", "TABLE", "TABLE"),
    ("return TABLE['a'] + x", "TABLE", ""),
    ("BOX.value = BOX.value + 1\nreturn x", "BOX", "BOX"),
    ("return BOX.value + x", "BOX", ""),
    ("LOG.append(('child', x))\nreturn x", "LOG", "LOG"),
    ("return helper(x)", "SHARED", ""),
    ("return noisy(x)", "LOG", "LOG"),
    ("total = 0\nfor i in range(x % 6):\n    total += i * x\nreturn total", "", ""),
    ("out = []\nfor i in range(3):\n    out.append(i * x)\nreturn out", "", ""),
    ("found = {i: i + x for i in range(3)}\nreturn sum(found.values())", "", ""),
    ("try:\n    return 10 // (x % 2)\nexcept ZeroDivisionError:\n    return -x", "", ""),
    ("return self.shared", "shared", ""),
    ("self.shared.append(x)\nreturn x", "shared", "shared"),
    ("return sum(self.shared) + x", "shared", ""),
    ("return max([x, self.k, 3], key=lambda v: -v)", "", ""),
    ("global LIMIT\nLIMIT = LIMIT - 1\nreturn x", "LIMIT", "LIMIT"),
    ("x += 3\nreturn x", "", ""),
    ("return str(x) + 'a'", "", ""),
    ("return [self.k for _ in range(2)] + SHARED[:1]", "SHARED", ""),
    ("return SHARED", "", ""),
    ("type(self).made += 1\nreturn x + self.made", "made", "made"),
    ("return x + self.made", "made", ""),
    ("return x + self.lots", "seen", ""),
    ("return x + self.odd", "n", "n"),
    ("return x + self.missing", "", ""),
    ("return self.twice(x)", "", ""),
    ("return super().forward(x) if hasattr(super(), 'forwards') else x", "", ""),
    ("def inner(y):\n    return y + self.k\nreturn inner(x) + inner(2)", "", ""),
    ("fs = [lambda y: y + i for i in range(3)]\nreturn fs[0](x)", "", ""),
    ("fs = []\nfor i in range(2):\n    fs.append(lambda: SHARED.append(i))\nfs[0]()\nreturn x", "SHARED", "SHARED"),
    ("p = Point(x)\np.a += 1\np.b.append(x)\nreturn p.far()", "", ""),
    ("p = Point(x)\nreturn p.grow(x % 3).far()", "SHARED", "SHARED"),
    ("p = Point(x, SHARED)\np.b.append(x % 3)\nreturn p.a", "SHARED", "SHARED"),
    ("d = {'s': SHARED}\nfor v in d.values():\n    v.append(1)\nreturn x", "SHARED", "SHARED"),
    (
        "def gen():\n    for i in range(2):\n        SHARED.append(i)\n        yield i\nreturn sum(gen())",
        "SHARED",
        "SHARED",
    ),
    ("with noted(x):\n    return x", "LOG", "LOG"),
    ("while x > 5:\n    x -= 3\nelse:\n    x += 1\nreturn x", "", ""),
    ("return f'{x:>4}{self.k!r}'.strip()", "", ""),
    (
        "try:\n    if x % 4 == 2:\n        raise ValueError('deep') from KeyError(x)\n    return x\nfinally:\n    x += 1",
        "",
        "",
    ),
    ("match x % 3:\n    case 0:\n        return 'zero'\n    case _:\n        return x", "", ""),
    ("return getattr(self, 'k') + x", "", ""),
    ("setattr(self, 'n', x)\nreturn x", "n", "n"),
    ("a, *rest = [x, self.k, 3]\nreturn a + len(rest)", "", ""),
    ("return float(x)", "", ""),
    ("return (x, [x])", "", ""),
    ("return {'k': x, 's': self.seen}", "", ""),
    ("return next(iter(sorted({x: 1, 2: 2})))", "", ""),
]
LISTS = [
    ("xs.append(1)\nreturn len(xs)", "", "xs"),
    ("return sum(xs)", "xs", ""),
    ("return xs", "", ""),
    ("return [v + 1 for v in xs]", "xs", ""),
    ("xs += [2]\nreturn len(xs)", "xs", "xs"),
    ("ys = xs\nys.sort()\nreturn ys[0] if ys else 0", "xs", "xs"),
    ("ys = list(xs)\nys.sort()\nreturn ys[:2]", "xs", ""),
    ("self.shared = xs\nreturn len(xs)", "", "shared"),
    ("if xs:\n    del xs[0]\nreturn len(xs)", "xs", "xs"),
    ("return {'all': xs}['all']", "", ""),
    ("return [xs, xs]", "", ""),
    ("return xs[:] + [0]", "xs", ""),
    ("a = b = xs\nb.insert(0, 7)\nreturn a[-1]", "xs", "xs"),
    ("self.shared = list(xs)\nreturn self.shared", "xs", "shared"),
    ("self.shared.extend(xs)\nreturn len(self.shared)", "xs", "shared"),
    ("return max(xs, default=0)", "xs", ""),
    ("return xs.copy()", "xs", ""),
    ("for i in range(len(xs)):\n    xs[i] = xs[i] + 1\nreturn xs[0]", "xs", "xs"),
]
SPECIAL = [
    "def forward(self, x, acc=[]):\n    acc.append(x)\n    return len(acc)",
    "def forward(self, x, acc=[]):\n    return x + len(acc)",
    "def forward(self, *xs, **kw):\n    return len(xs) + len(kw)",
    "def forward(self, x, *, scale=2):\n    return x * scale",
    "def forward(self, x, acc=SHARED):\n    acc.append(x)\n    return acc[-1]",
    "def forward(self, x, acc={}):\n    acc[x] = acc.get(x, 0) + 1\n    return acc[x]",
    "def __call__(self, x):\n    SHARED.append(x)\n    return super().__call__(x)\n\ndef forward(self, x):\n    return x",
]
# What stands in the class of every child: properties, a counter of all objects, attributes made when asked for.
BODY = """    made = 0

    @property
    def lots(self):
        return len(self.seen)

    @property
    def odd(self):
        self.n += 1
        return self.n

    @staticmethod
    def twice(x):
        return x * 2
"""
ASKED = """
    def __getattr__(self, name):
        if name == "missing":
            LOG.append("asked")
            return 1
        raise AttributeError(name)
"""
# Children with children, generators, coroutines.
NESTED = [
    "return self.a(x) + self.b(x + 1)",
    "return [self.a(x), self.b(x), self.a(x)]",
    "return self.b(self.a(x))",
    "return sum(self.a(i) for i in range(3))",
    "try:\n    return self.a(x)\nexcept ValueError:\n    return self.b(x)",
    "self.a.k = x\nreturn self.b(x)",
]
YIELDS = [
    "for i in range(x % 3):\n    yield i",
    "SHARED.append(x % 5)\nyield x\nSHARED.append(0)\nyield 2",
    "yield self.a(x)\nyield self.a(x)",
]
WAITS = [
    "return x + 1",
    "await asyncio.sleep(0)\nSHARED.append(1)\nreturn x",
    "await asyncio.sleep(0)\nreturn self.a(x)",
]
# Statements: $a, $b, $c are new variables, $l new lists, the others are used here only.
SHAPES = [
    "$t = {'k': <list>, 'v': <call>}\n$l = $t['k']\n$a = $t['v']",
    "$t = (<list>, <call>)\n$t[0].append(<atom>)\n$a = $t[1]",
    "$l = [<list>, <list>][0]\n$l.append(<call>)",
    "$t = {}\nfor i in range(3):\n    $t[i] = <op>(i)\n$a = $t[2]\n$b = <call>",
    "$t = {}\nfor i in range(3):\n    $t[i % 2] = <op>(i)\n    LOG.append(len($t))\n$a = $t[0]",
    "$t = [lambda: i for i in range(2)]\n$a = <call>\n$b = $t[0]()",
    "$t = []\nfor i in range(2):\n    $t.append(lambda: <op>(i))\n$a = $t[0]()\n$b = <call>",
    "$t = 3\nwhile $t > 0:\n    $a = <call>\n    $t -= 1\n    if <atom> == 2:\n        break\nelse:\n    $a = 0",
    "$a = 0\nfor i in range(3):\n    try:\n        $a += <op>(i)\n    except Exception as problem:\n        LOG.append(str(problem))\n        continue",
    "try:\n    $a = <call>\n    $b = <call>\nexcept Exception:\n    $a = $b = -1\nelse:\n    LOG.append('fine')",
    "with noted(<atom>):\n    $a = <call>\n    $b = <call>",
    "$a = <call>\n$t = $a\nif isinstance($t, list):\n    $t.append(9)\n$b = <call>",
    "$a = list(self.g0(<atom>))\n$b = <call>",
    "$t = self.g0(<atom>)\n$a = <call>\n$b = next($t, 0)",
    "$a = 0\nfor $t in self.g0(<atom>):\n    $a = <op>($t)",
    "$a = asyncio.run(self.w0(<atom>))\n$b = <call>",
    "$a = self.n0(<atom>)\n$b = self.n0(<atom>)",
    "$a = [self.n0(i) for i in range(2)]",
    "$a = <op>(1)\n$b = [<op>(True), <op>(1.0), <op>(1)]",
    "self.stages.append(self.stages[0])\n$a = <call>",
    "self.stages.reverse()\n$l = [s(<atom>) for s in self.stages[:3]]",
    "$a = <call>\nself.c0, self.c1 = self.c1, self.c0\n$b = <call>",
    "$a = any(<op>(i) for i in range(3))\n$b = all([<op>(i) for i in range(2)])",
    "$a = ','.join(str(<op>(i)) for i in range(3))\n$b = max((<op>(i) for i in range(3)), key=str)",
    "$a = {i: <op>(i) for i in range(3)}[1]",
    "$a = [<op>(i + j) for i in range(2) for j in range(2)][-1]",
    "$a = [s(v) for s, v in zip(self.stages, [1, 2, <atom>])]",
    "$a = {n: s(<atom>) for n, s in enumerate(self.stages)}",
    "$a = f'{<call>} {<call>}'",
    "$a = 1 < <call> < 9",
    "$a, *$b = [<call>, <call>, 3]",
    "$a = $b = <call>",
    "if ($t := <atom>) > 2:\n    $a = <op>($t)\nelse:\n    $a = <call>",
    "$p = Point(<atom>)\n$p.b.append(<call>)\n$a = $p.far()\n$b = [$p.b]",
    "$a = <op>(*[<atom>])\n$b = <call>",
    "$a = <call>\nassert $a != 3, 'three'\n$b = <call>",
    "$a = <call>\ndel $a\n$a = <call>",
    "match <atom>:\n    case 1 | 2:\n        $a = <call>\n    case _:\n        $a = <call>",
    "def $f(y):\n    return <op>(y)\n$a = $f(1)\n$b = <call>",
    "$l = sorted([<op>(i) for i in range(3)], key=str)",
    "$a = max(<call>, <call>, key=str)",
    "$a = self.c0.k\n$b = <call>\n$c = self.c0.k",
    "$a = <call>\nif $a == 4:\n    raise ValueError($a)\n$b = <call>",
    "SHARED[-1] += 1\n$a = <call>\nSHARED.insert(0, 4)\n$b = <call>",
]
