"""What a user of `optimize` sees."""

from __future__ import annotations

import threading
import time
import traceback

import pytest

from operator_lib import Operator, errors, operator, optimize, record
from operator_lib.independence import processes

MEETING = threading.Barrier(3)
MADE: list[int] = []
NOTED: list[object] = []


@operator(pure=True)
def meet(x):
    """Returns only when three calls are at work at the same time."""
    MEETING.wait(10)
    return x


@operator(pure=True)
def counted(x):
    MADE.append(x)
    return [x]


class Add(Operator):
    def __init__(self, n):
        self.n = n

    def forward(self, x):
        return x + self.n


class Sleep(Operator):
    def forward(self, x):
        time.sleep(0.05)
        return x


class Picky(Operator):
    def forward(self, x):
        time.sleep(0.01)
        if x % 2:
            raise ValueError(x)
        return x


class Counter(Operator):
    def __init__(self):
        self.n = 0

    def forward(self, x):
        self.n += 1
        NOTED.append(x)
        return x + self.n


class Three(Operator):
    def forward(self, x):
        a = meet(x)
        b = meet(x + 1)
        return a + b + meet(x + 2)


class Rounds(Operator):
    def forward(self, xs):
        return [meet(x) for x in xs]


class Filled(Operator):
    def __init__(self):
        self.stages = [meet, meet, meet]

    def forward(self, x):
        found, total = [], 0
        for stage in self.stages:
            y = stage(x)
            found.append(y)
            total += y
        return found, total


class Summed(Operator):
    def forward(self, xs):
        return sum(meet(x) for x in xs)


@operator
def function(x):
    return meet(x), meet(x + 1), meet(x + 2)


@pytest.mark.parametrize(
    ("op", "given", "result"),
    [
        (Three(), 1, 6),
        (Rounds(), [1, 2, 3], [1, 2, 3]),
        (Filled(), 2, ([2, 2, 2], 6)),
        (Summed(), [4, 5, 6], 15),
        (function, 1, (1, 2, 3)),
    ],
)
def test_independent_calls_are_at_work_at_the_same_time(op, given, result):
    assert optimize(op, dedupe=False)(given) == result


class Chain(Operator):
    def __init__(self):
        self.first, self.second, self.other = Sleep(), Sleep(), Sleep()

    def forward(self, x):
        y = self.first(x) + 1
        z = self.second(y)
        return z + self.other(x)


def test_a_call_starts_when_its_inputs_exist_and_a_run_is_recorded_as_it_is_written():
    op = Chain()
    with record() as rec:
        assert optimize(op)(1) == 3
    told = [(e["phase"], e["path"]) for e in rec.events if e["kind"] == "node"]
    assert told.index(("start", "other")) < told.index(("end", "first")) < told.index(("start", "second"))
    assert {n.operator: n.status for n in rec.dag().nodes if n.kind == "call"} == dict.fromkeys(
        ["first", "second", "other"], "done"
    )


class Failing(Operator):
    def __init__(self):
        self.picky, self.count = Picky(), Counter()

    def forward(self, x):
        a = self.picky(x)
        b = self.picky(x + 1)  # this one
        c = self.picky(x + 2)
        self.count(c)
        return a + b + c


def test_the_first_failure_in_program_order_is_raised_from_the_line_of_the_user():
    for x, line in ((1, 7), (2, 8)):
        op = optimize(Failing())
        with pytest.raises(ValueError) as caught:
            op(x)
        frames = traceback.extract_tb(caught.value.__traceback__)[1:]
        assert [frame.name for frame in frames if "/core.py" not in frame.filename] == ["forward", "forward"]
        first = next(frame for frame in frames if frame.name == "forward")
        assert first.lineno == Failing.forward.__code__.co_firstlineno + line - 6
        assert op.count.n == 0
        assert caught.value.__context__ is None


class Effects(Operator):
    def __init__(self):
        self.count, self.add = Counter(), Add(1)

    def forward(self, x):
        a = self.add(x)
        b = self.count(a)
        c = self.add(b)
        return [a, b, c, self.count(c)]


def test_effects_keep_their_order_and_the_original_its_state():
    NOTED.clear()
    op = Effects()
    assert optimize(op)(1) == [2, 3, 4, 6]
    assert (op.count.n, NOTED) == (2, [2, 4])


class Again(Operator):
    def forward(self, x):
        one, other = counted(x), counted(x)
        return one, other, counted(x + 1)


def test_a_pure_call_with_the_same_inputs_is_made_once_and_gives_objects_of_their_own():
    MADE.clear()
    fast = optimize(Again())
    one, other, third = fast(1)
    assert (one, other, third, sorted(MADE)) == ([1], [1], [2], [1, 2])
    assert one is not other
    assert "counted" in str(fast.report().repeated)
    assert optimize(Again(), dedupe=False)(1) == ([1], [1], [2])
    assert sorted(MADE) == [1, 1, 1, 2, 2]


class Strange:
    """Not plain data: adding to it has an effect."""

    def __add__(self, other):
        NOTED.append(other)
        return len(NOTED)


class Adds(Operator):
    def __init__(self):
        self.one, self.two = Add(1), Add(2)

    def forward(self, x):
        return self.one(x), self.two(x), self.one(x)


def test_a_proof_is_not_used_for_values_that_it_does_not_hold_for():
    NOTED.clear()
    assert optimize(Adds())(Strange()) == (1, 2, 3)
    assert NOTED == [1, 2, 1]


def test_a_proof_is_made_anew_when_the_program_changes():
    op = Adds()
    fast = optimize(op)
    assert fast(1) == (2, 3, 2)
    op.one = Counter()
    op.two.n = 5
    NOTED.clear()
    assert (fast(1), NOTED) == ((2, 6, 3), [1, 1])


def test_it_is_the_same_operator_to_everybody_else():
    op = Adds()
    fast = optimize(op)
    assert isinstance(fast, Adds)
    assert repr(fast) == repr(op)
    assert [name for name, _ in fast.named_operators()] == ["", "one", "two"]
    assert [n.id for n in fast.dag().nodes] == [n.id for n in op.dag().nodes]
    assert optimize(fast)(1) == op(1)
    assert fast.with_options(description="another")(1) == op(1)
    assert op._options is None
    single = Add(1)
    assert type(optimize(single)).forward is Add.forward  # nothing to gain: nothing in between


def test_what_cannot_be_optimized_is_refused():
    with pytest.raises(TypeError, match="takes an operator, got 3"):
        optimize(3)
    with pytest.raises(ValueError, match="workers: must be a positive int"):
        optimize(Adds(), workers=0)


class Reported(Operator):
    def __init__(self):
        self.count, self.add, self.total = Counter(), Add(1), 0

    def forward(self, x):
        a = self.add(x)
        b = self.count(x)
        c = self.add(a)
        self.total = c
        d = self.add(x + 1)
        return a + b + c + d


def test_the_report_says_for_every_pair_why():
    op = optimize(Reported())
    first = Reported.forward.__code__.co_firstlineno
    words = {(p.line - first, p.second_line - first): (p.parallel, p.reason) for p in op.report().pairs}
    writes = f"writes self.count.n (line {Counter.forward.__code__.co_firstlineno + 1})"
    assert words[1, 2] == (False, f"self.count {writes} of test_optimize.py")
    assert words[1, 3] == (False, "self.add needs what self.add gives")
    assert words[3, 5] == (False, f"line {first + 4} stands between and keeps its place: writes self.total")
    assert optimize(Adds()).report().pairs[0].parallel
    assert "∥" in str(optimize(Adds()).dag())
    assert "in order: self.count writes" in str(op.dag())


class Prints(Operator):
    def forward(self, x):
        print(x)
        return x


class Fetches(Operator):
    def forward(self, x):
        return traceback.format_list(x)


class Both(Operator):
    def __init__(self):
        self.add, self.prints, self.fetches = Add(1), Prints(), Fetches()

    def forward(self, x):
        return self.add(x), self.prints(x), self.fetches(x)


def test_the_report_says_what_can_be_declared():
    pairs = optimize(Both()).report().pairs
    assert "self.prints calls print, which prints" in pairs[0].reason
    assert "self.fetches calls traceback.format_list, which is not known" in pairs[1].reason
    assert "operator(pure=True)" in pairs[1].fix


class Liar(Operator):
    options = {"pure": True}

    def __init__(self):
        self.n = 0

    def forward(self, x):
        self.n += 1
        return x


class Drifting(Operator):
    options = {"pure": True}

    def forward(self, x):
        return x + time.monotonic_ns()


class Believes(Operator):
    def __init__(self, child):
        self.child = child

    def forward(self, x):
        return self.child(x), self.child(x)


def test_check_finds_and_names_a_false_declaration():
    with pytest.raises(
        errors.NotPure, match=r"child was declared pure, but a call of it changes self\.child\.n: 0 → 1"
    ):
        optimize(Believes(Liar()), check=True)(1)
    with pytest.raises(errors.NotPure, match=r"the global MADE"):
        optimize(Again(), check=True)(1)
    with pytest.raises(errors.NotPure, match="the same inputs gave"):
        optimize(Believes(Drifting()), check=True)(1)
    assert optimize(Adds(), check=True)(1) == (2, 3, 2)
    with pytest.raises(ValueError, match="1"):
        optimize(Failing(), check=True)(1)


class Heavy(Operator):
    def __init__(self):
        self.add = Add(3)

    def forward(self, xs):
        return [self.add(x) for x in xs]


def test_calls_that_compute_are_sent_to_processes():
    op = Heavy()
    fast = optimize(op, workers=2)
    settings = type(fast)._operator_optimized.settings
    if settings.processes < 2:
        pytest.skip("one processor")
    for site in type(fast)._operator_optimized.plan.rewritten.sites.values():
        site.ran, site.seconds, site.busy = 1, 1.0, 1.0  # as if it had computed for a second
    assert fast([1, 2]) == [4, 5]
    assert processes._pool is not None
    assert processes._pool.all
    op.add.n = 5  # the state that is there, not the one that was
    assert fast([1, 2]) == [6, 7]


def test_a_deployed_operator_is_optimized_where_it_runs(worker, tmp_path, monkeypatch):
    (tmp_path / "meeting.py").write_text(
        "import threading\n"
        "from operator_lib import Operator, operator\n\n"
        "class Meet(Operator):\n"
        "    options = {'pure': True}\n"
        "    def forward(self, x):\n"
        "        BARRIER.wait(10)\n"
        "        return x\n\n"
        "BARRIER = threading.Barrier(2)\n\n"
        "class Root(Operator):\n"
        "    def __init__(self):\n"
        "        self.a, self.b = Meet(), Meet()\n\n"
        "    def forward(self, x: int) -> int:\n"
        "        return self.a(x) + self.b(x + 1)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import meeting

    job = meeting.Root().deploy("meet", optimize=True)
    assert job(1) == 3
    assert job.submit(2).result() == 5


class Outer(Operator):
    """Nothing in it could overlap; in its children it can."""

    def __init__(self):
        self.three, self.function = Three(), function

    def forward(self, x):
        total = self.three(x)
        return self.function(total)


@pytest.mark.parametrize("recorded", [False, True])
def test_the_functions_of_children_are_taken_apart_too(recorded):
    fast = optimize(Outer(), dedupe=False)
    if not recorded:
        assert fast(1) == (6, 7, 8)
    else:
        with record() as rec:
            assert fast(1) == (6, 7, 8)
        assert {n.status for n in rec.dag().nodes if n.kind == "call"} == {"done"}
    assert {inside.name for inside in fast.report().inside} == {"three", "function"}


class Named(Operator):
    def __init__(self):
        self.by = {"a": meet, "b": meet, "c": meet}

    def forward(self, x):
        return {name: op(x) for name, op in self.by.items()}


def test_children_of_a_dict_are_gone_through_at_the_same_time():
    assert optimize(Named(), dedupe=False)(1) == {"a": 1, "b": 1, "c": 1}
