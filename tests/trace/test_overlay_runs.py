"""Real programs run under a recorder: the graph shows what happened, wherever the calls came from."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest

from operator_lib import record
from operator_lib.trace.overlay import Overlay, overlay

HEAD = """
import asyncio, threading
from concurrent.futures import ThreadPoolExecutor
from operator_lib import Operator, operator

class Leaf(Operator):
    def forward(self, x=0):
        if x == "bad":
            raise ValueError(x)
        return x

class Mid(Operator):
    def __init__(self):
        self.leaf = Leaf()
    def forward(self, x):
        return self.leaf(x)

class Later(Operator):
    async def forward(self, x):
        await asyncio.sleep(0)
        return x

@operator
def glob(x):
    return x

class P(Operator):
    def __init__(self):
        self.a, self.b, self.c, self.mid, self.later = Leaf(), Leaf(), Leaf(), Mid(), Later()
        self.kids = [Leaf(), Leaf(), Leaf()]
        self.seen = None
    def look(self):
        if self.seen:
            self.seen()
"""


@pytest.fixture
def lit(write):
    """``lit(body of forward(self, x), more methods)`` runs it and gives the graph."""

    def run(body, methods="", x=1, look=None, raises=None, asynchronous=False):
        kind = "async def" if asynchronous else "def"
        source = (
            HEAD + f"    {kind} forward(self, x):\n" + textwrap.indent(textwrap.dedent(body).strip(), " " * 8) + "\n"
        )
        op = write(source + textwrap.indent(textwrap.dedent(methods), " " * 4)).P()
        seen = []
        with record() as rec:
            op.seen = lambda: seen.append(rec.dag())
            with pytest.raises(raises) if raises else contextlib.nullcontext():
                result = op(x)
                if asynchronous:
                    asyncio.run(result)
        dag = rec.dag()
        assert {n.status for n in dag.nodes} <= {"done", "failed", "skipped", "cached", "lost"}, str(dag)
        assert overlay(op.dag(), rec.events) == dag, "event by event and all at once are the same"
        return (dag, seen) if look else dag

    return run


def told(dag):
    """Every node but inputs, as ``name:status`` with count and round where there are any."""
    words = []
    for n in dag.nodes:
        if n.kind == "call":
            mark = f" {n.count}" * bool(n.count) + f"@{n.iteration}" * bool(n.iteration)
            words.append(f"{n.operator or n.name}:{n.status}{mark}")
        elif n.kind in ("loop", "branch", "try", "with"):
            words.append(f"<{n.kind}>:{n.status}" + f" {n.count}" * (n.kind == "loop" and bool(n.count)))
    return "  ".join(words)


CASES = {
    "helper from two places": (
        "self.help(x)\nself.help('bad')",
        "self.help:done 1  a:done 1  self.help:failed 1  a:failed 1",
        ValueError,
    ),
    "same line twice": ("self.a(x); self.a(x)\nreturn [self.a(x)] + [self.a(x)]", "  ".join(["a:done 1"] * 4)),
    "unrolled": (
        "for k in self.kids:\n  x = k(x)\n  self.b(x)",
        "<loop>:done 3  kids.0:done 1@1  b:done 3@3  kids.1:done 1@2  kids.2:done 1@3",
    ),
    "unknown rounds": ("for i in range(x + 3):\n  self.a(i)\n  self.b(i)", "<loop>:done 4  a:done 4@4  b:done 4@4"),
    "no round": ("for i in range(x - 1):\n  self.a(i)", "<loop>:skipped  a:skipped"),
    "nested": (
        "for i in range(3):\n  self.a(i)\n  for j in range(2):\n    self.b(j)",
        "<loop>:done 3  a:done 3@3  <loop>:done 6  b:done 6@2",
    ),
    "arms in a loop": (
        "for i in range(4):\n  if i % 2:\n    self.a(i)\n  else:\n    self.b(i)",
        "<loop>:done 4  <branch>:done  <branch>:done  a:done 2@4  <branch>:done  b:done 2@3",
    ),
    "while with break": (
        "while True:\n  x += 1\n  self.a(x)\n  if x > 3:\n    break\n  self.b(x)",
        "<loop>:done 3  a:done 3@3  b:done 2@2",
    ),
    "comprehension": ("return [self.a(v) for v in range(3)]", "<loop>:done 3  a:done 3@3"),
    "ternary in a comprehension": (
        "return [self.a(v) if v else self.b(v) for v in range(3)]",
        "<loop>:done 3  <branch>:done  a:done 2@3  b:done 1@1",
    ),
    "inside of what is called in a loop": (
        "for i in range(2):\n  self.mid(i)",
        "<loop>:done 2  mid:done 2@2  mid.leaf:done 2@2",
    ),
    "arm not taken": (
        "if x == 2:\n  self.a(x)\nelif x == 1:\n  self.b(x)\nelse:\n  self.c(x)",
        "<branch>:done  <branch>:skipped  a:skipped  <branch>:done  b:done 1  <branch>:skipped  c:skipped",
    ),
    "early return": ("if x:\n  return self.a(x)\nself.b(x)", "<branch>:done  a:done 1  b:skipped"),
    "early return without a call": ("if x:\n  return 1\nself.b(x)", "<branch>:done  b:skipped"),
    "no early return": ("if not x:\n  return 1\nself.b(x)", "<branch>:skipped  b:done 1"),
    "caught": (
        "try:\n  self.a('bad')\n  self.b(x)\nexcept ValueError:\n  self.c(x)\nself.b(x)",
        "<try>:done  a:failed 1  b:skipped  <branch>:done  c:done 1  b:done 1",
    ),
    "caught without a call": (
        "try:\n  self.mid('bad')\nexcept ValueError:\n  x = 2\nreturn x",
        "<try>:done  mid:failed 1  mid.leaf:failed 1  <branch>:done",
    ),
    "not caught": (
        "for i in range(3):\n  try:\n    self.a('bad' if i else 1)\n  finally:\n    self.b(i)\nself.c(x)",
        "<loop>:failed 2  <try>:failed  a:failed 2@2  <try>:done  b:done 2@2  c:skipped",
        ValueError,
    ),
    "functions": ("return glob(glob(x))", "glob:done 1  glob:done 1"),
    "function recursion": (
        "return self.walk(2)",
        "self.walk:done 3  a:done 3  <branch>:done  self.walk:done 2",
    ),
    "callback": ("return sorted([3, 1, 2], key=lambda v: self.a(v))", "sorted:done 3  a:done 3"),
    "builtin map": ("return list(map(self.a, [1, 2]))", "a:done 2"),
    "map": ("self.a.map([1, 2, 3])\nself.a(x)", "a:done 3  a:done 1"),
    "submit": ("return self.a.submit(x).result()", "a:done 1"),
    "generator of a helper": (
        "for v in self.gen(3):\n  self.b(v)",
        "self.gen:done 3  <loop>:done 3  a:done 3@3  <loop>:done 3  b:done 3@3",
    ),
}  # fmt: skip
METHODS = """
def help(self, x):
    return self.a(x)
def walk(self, n):
    self.a(n)
    return self.walk(n - 1) if n else n
def gen(self, n):
    for i in range(n):
        yield self.a(i)
"""


@pytest.mark.parametrize("name", CASES)
def test_every_node_has_its_status_count_and_round(lit, name):
    body, wanted, *raises = CASES[name]
    assert told(lit(body, METHODS, raises=raises[0] if raises else None)) == wanted


def test_operators_that_call_each_other_count_on_the_node_that_is_led_back_to(write):
    source = """
    from operator_lib import Operator

    class Even(Operator):
        def __init__(self):
            self.odd = None
        def forward(self, n):
            return n == 0 or self.odd(n - 1)

    class Odd(Operator):
        def __init__(self, even):
            self.even = even
        def forward(self, n):
            return n != 0 and self.even(n - 1)

    class P(Operator):
        def __init__(self):
            self.even = Even()
            self.even.odd = Odd(self.even)
        def forward(self, n):
            return self.even(n)
    """
    op = write(source).P()
    with record() as rec:
        assert op(6)
    dag = rec.dag()
    assert "unplaced" not in dag.extra
    calls = [n for n in dag.nodes if n.kind == "call"]
    assert [(n.operator, n.count, n.status) for n in calls] == [
        ("even", 1, "done"), ("even.odd", 3, "done"), ("even", 3, "done"),
    ]  # fmt: skip


def test_tasks_that_take_turns(lit):
    body = "return await asyncio.gather(*[self.one(v) for v in range(3)])"
    methods = "async def one(self, v):\n    y = await self.later(v)\n    return self.a(y)"
    dag = lit(body, methods, asynchronous=True)
    calls = {n.operator: n for n in dag.nodes if n.operator}
    assert (calls["later"].count, calls["a"].count) == (3, 3)
    assert (calls["later"].iteration, calls["a"].iteration) == (3, 3)
    assert {n.status for n in dag.nodes} == {"done"}
    assert next(n for n in dag.nodes if n.kind == "loop").count == 3


def test_threads_of_the_users_own_are_seen_in_a_context(write):
    source = HEAD + "    def forward(self, x):\n        return list(self.pool.map(self.run, [1, 2]))\n"
    op = write(source + "    def run(self, x):\n        return self.a(x)\n").P()

    class Carrying(ThreadPoolExecutor):
        def submit(self, fn, *args):
            return super().submit(contextvars.copy_context().run, fn, *args)

    with Carrying(2) as pool, record() as rec:
        op.pool = pool
        op(1)
    assert rec.dag().node("a").count == 2
    assert "unplaced" not in rec.dag().extra


def test_while_it_runs(lit):
    body = (
        "self.a(x)\nif x == 2:\n  self.b(x)\nfor i in range(2):\n  self.c(i)\n  self.look()\nself.mid(x)\nself.look()"
    )
    _, (first, second, last) = lit(body, look=True)
    assert told(first) == (
        "a:done 1  <branch>:skipped  b:skipped  <loop>:running 1  c:done 1@1  mid:pending  mid.leaf:pending"
    )
    assert told(second).split("  ")[3:5] == ["<loop>:running 2", "c:done 2@2"]
    assert told(last).split("  ")[3:] == ["<loop>:done 2", "c:done 2@2", "mid:done 1", "mid.leaf:done 1"]
    assert {n.status for n in first.nodes if n.kind == "return"} <= {"done", "pending", "skipped"}


def test_code_that_raises_has_failed(lit):
    dag = lit("self.a(x)\ny = x / 0\nz = 1\nself.b(y)", raises=ZeroDivisionError)
    assert [(n.code.splitlines()[0], n.status) for n in dag.nodes if n.kind == "code" and not n.parent] == [
        ("y = x / 0", "failed")
    ]
    assert dag.node("b").status == "skipped"


def test_calls_of_another_version_are_reported_with_the_nearest_operator(write):
    old = write(HEAD + "    def forward(self, x):\n        return self.mid(x)\n", name="versions").P().dag()
    changed = HEAD.replace("return self.leaf(x)", "self.more = Leaf()\n        return self.leaf(self.more(x))")
    op = write(changed + "    def forward(self, x):\n        return self.mid(x)\n", name="versions").P()
    with record() as rec:
        op(1)
    dag = overlay(old, rec.events)
    unplaced = dag.extra["unplaced"]
    assert unplaced["calls"] >= 1
    assert {place["node"] for place in unplaced["places"]} == {old.node("mid").id}
    assert {n.status for n in dag.nodes} <= {"done", "skipped"}


def test_a_second_attempt_shows_itself_and_counts_both(lit, write):
    op = write(HEAD + "    def forward(self, x):\n        self.a(x)\n        return self.b(x)\n").P()

    def attempt(x):
        with record() as rec, contextlib.suppress(ValueError):
            op(x)
        return [e for e in rec.events if e["kind"] == "node"]

    first, second = attempt("bad"), attempt(1)
    told = Overlay(op.dag())
    told.update([{"kind": "status", "status": "RUNNING"}, *first])
    assert told.dag().node("a").status == "failed"
    told.update([{"kind": "status", "status": "PENDING"}, {"kind": "status", "status": "RUNNING"}])
    assert {n.status for n in told.dag().nodes} == {"pending"}
    told.update([*second[:3]])
    assert (told.dag().node("a").status, told.dag().node("a").count) == ("done", 2)
    told.update([*second[3:], {"kind": "status", "status": "COMPLETED"}])
    assert {n.status for n in told.dag().nodes} == {"done"}


def test_an_event_more_does_not_cost_the_ones_before(lit, write, monkeypatch):
    op = write(HEAD + "    def forward(self, x):\n        for i in range(50):\n            self.a(i)\n").P()
    run = op.submit(1)
    run.result(10)
    taken = []
    original = Overlay._take
    monkeypatch.setattr(Overlay, "_take", lambda self, event: (taken.append(event["seq"]), original(self, event)))
    first, second = run.dag(), run.dag()
    assert first == second
    assert first.node("a").count == 50
    assert taken == [event["seq"] for event in run.events()]
