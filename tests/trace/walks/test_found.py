"""What the random programs have found, as small as it got."""

import pytest
from walks.checks import wrong
from walks.program import HEAD

DEAF = """
class Deaf:
    def __init__(self, *kinds):
        self.kinds = kinds
    def __enter__(self):
        return self
    def __exit__(self, kind, error, trace):
        return kind is not None and issubclass(kind, Exception)

@contextlib.contextmanager
def deaf():
    try:
        yield 1
    except ValueError:
        pass

@contextlib.contextmanager
def deaf_by_name():
    with contextlib.suppress(ValueError):
        yield 1
"""

FOUND = {
    "partial made anew in every round": "for i in range(x):\n  f = functools.partial(self.b, y=1)\n  x = f(x)",
    "container that grows in a loop": "ops = [self.a]\nfor i in range(x):\n  ops.append(self.b)\nself.c(1)",
    "decorated local function that nobody calls": "@wrap\ndef local(v, *, op=self.b):\n  return op(v)",
    "plain code before else of a loop": "for i in (1, y):\n  x += i\nelse:\n  y = x\nself.a(y)",
    "break in an unrolled loop": "for k in self.kids:\n  x = k(1)\n  if x:\n    break",
    "helper in an unrolled loop that is left": "for k in self.kids:\n  x = through(k, 1)\n  break",
    "suppressed exception": "with contextlib.suppress(ValueError):\n  self.b(7)\n  self.c(1)",
    "object that suppresses": "with Deaf():\n  self.b(7)\n  self.c(1)",
    "object that may suppress": "with Deaf(x) as d:\n  self.b(7)\n  self.c(1)\nself.a(1)",
    "generator that suppresses": "with deaf():\n  self.b(7)\n  self.c(1)",
    "generator that lets suppress": "with deaf_by_name():\n  self.b(7)\n  self.c(1)",
    "exception in an argument": "try:\n  self.a(self.b(7))\nexcept ValueError:\n  pass",
    "finally that swallows": "for i in range(2):\n  try:\n    x = self.a(self.b(7))\n  finally:\n    continue",
    "return behind break": (
        "while True:\n  if x > 9:\n    break\n  if x:\n    return x\nself.memory = self.b\nx = self.memory(x)"
    ),
    "break in the else of a loop in a loop": (
        "for k in self.kids:\n  x = through(k, x)\n  while x > 99:\n    x = 1\n  else:\n    if y:\n      break"
    ),
    "container made anew in every round": (
        "for k in self.listed:\n  ops = [self.c]\n  ops.append(self.a)\n  for o in ops:\n    x = o(1)"
    ),
    "try behind a return": ("return x\ntry:\n  self.memory = self.c\nexcept ValueError:\n  pass\nx = self.memory(x)"),
    "generator taken in turns": "def taken():\n  yield self.a(1)\n  yield self.b(1)\nfor q in taken():\n  self.c(q)",
    "generator left early": "def taken():\n  yield 1\n  self.a(1)\nx = next(taken())",
    "callback in a branch": "if x:\n  x = max([1, 2], key=self.a)",
    "recursion into a generator": (
        "def taken(d):\n  yield self.a(d)\n  if d:\n    yield from taken(d - 1)\nx = len(list(taken(2)))"
    ),
}


@pytest.mark.parametrize("body", FOUND.values(), ids=FOUND)
def test_what_was_found_stays_mended(folder, body):
    lines = "\n".join("        " + line for line in body.splitlines())
    text = f"{HEAD}{DEAF}\nclass Program(Common):\n    def forward(self, x, y=1):\n{lines}\n        return x\n"
    assert wrong(folder, text) == []
