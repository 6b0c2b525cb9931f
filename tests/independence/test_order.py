"""What must not happen early, twice, elsewhere, or for ever."""

from __future__ import annotations

import gc
import linecache
import sys
import time
import types
import weakref

import pytest

from operator_lib import Operator, optimize
from operator_lib.independence import threads

NOTED: list = []


class Add(Operator):
    def __init__(self, n):
        self.n = n

    def forward(self, x):
        return x + self.n


class Notes(Operator):
    def forward(self, x):
        NOTED.append(x)
        return x


class Counts(Operator):
    def forward(self, x):
        return len(NOTED)


class Waits(Operator):
    def forward(self, x):
        time.sleep(0.001)
        if x == 7:
            raise ValueError(x)
        return x


class Root(Operator):
    def __init__(self):
        self.add, self.notes, self.counts, self.waits = Add(1), Notes(), Counts(), Waits()


class FindsNoted(Root):
    def forward(self, xs):
        return any(self.notes(x) for x in xs)


class FindsAmongMany(Root):
    def forward(self, xs):
        return any(self.waits(x) for x in range(10**9))


class StopsBeforeTheFailure(Root):
    def forward(self, xs):
        return any(self.waits(x) for x in (0, 5, 7)), self.waits(5)


class SumsWhatIsCounted(Root):
    def forward(self, xs):
        return sum(self.notes(x) if x % 3 == 0 else self.counts(x) for x in range(8))


class TakesSome(Root):
    def forward(self, xs):
        return max(self.waits(x) for x in xs if self.add(x) > 2)


class Falls(Root):
    def forward(self, xs):
        return sum(self.waits(x) for x in ("a", 7))


def outcome(op):
    NOTED.clear()
    try:
        return op([0, 2, 3]), list(NOTED)
    except Exception as error:
        return type(error), error.args, list(NOTED)


@pytest.mark.parametrize(
    "cls", [FindsNoted, FindsAmongMany, StopsBeforeTheFailure, SumsWhatIsCounted, TakesSome, Falls]
)
def test_who_takes_one_value_after_another_may_stop_and_what_comes_behind_has_not_happened(cls):
    fast = optimize(cls(), dedupe=False)
    assert [outcome(fast), outcome(fast)] == [outcome(cls())] * 2


class Chooses(Operator):
    def __init__(self, given):
        self.given = given

    def forward(self, x):
        return self.given


class Picks(Root):
    def __init__(self):
        super().__init__()
        self.choose = Chooses(self.add)

    def forward(self, x):
        chosen = self.choose(x)
        return chosen(3) + self.add(x)


def test_an_operator_that_an_operator_gives_is_called():
    assert optimize(Picks())(1) == Picks()(1) == 6


class Leaf(Operator):
    def forward(self, x):
        time.sleep(0.001)
        return x


class Branch(Operator):
    def __init__(self, inner):
        self.inner = inner

    def forward(self, x):
        return sum([self.inner(i) for i in range(4)])


def test_steps_that_wait_for_steps_inside_of_them_end_however_few_threads_there_are(monkeypatch):
    monkeypatch.setattr(threads, "MOST", 3)
    threads.forked()
    op = Branch(Branch(Branch(Leaf())))
    fast = optimize(op, dedupe=False)
    assert fast(1) == fast(1) == op(1)


class Kept:
    pass


class Fails(Root):
    def forward(self, xs):
        mine = Kept()
        NOTED.append(weakref.ref(mine))
        a, b = self.waits(7), self.waits(8)
        return a + b


def test_what_a_failed_call_held_is_let_go_of_at_once():
    NOTED.clear()
    gc.disable()
    try:
        with pytest.raises(ValueError, match="7"):
            optimize(Fails())([])
        assert NOTED[0]() is None
    finally:
        gc.enable()


class Each(Operator):
    def __init__(self, one):
        self.one = one

    def forward(self, xs):
        return [self.one(x) for x in xs]


def busy(op):
    """Optimized, as if its calls had computed for a second."""
    fast = optimize(op, workers=2)
    known = type(fast)._operator_optimized
    if known.settings.processes < 2:
        pytest.skip("one processor")
    for site in known.plan.rewritten.sites.values():
        site.ran, site.seconds, site.busy = 1, 1.0, 1.0
    return fast


FAR = "import operator_lib\nclass Far(operator_lib.Operator):\n    def forward(self, x):\n        return x + 100\n"


def test_a_process_that_cannot_load_an_operator_does_not_answer_for_another_one():
    assert busy(Each(Add(1)))([1, 2]) == [2, 3]
    linecache.cache["<far>"] = (len(FAR), None, FAR.splitlines(True), "<far>")
    module = sys.modules["not_to_be_found"] = types.ModuleType("not_to_be_found")
    try:
        exec(compile(FAR, "<far>", "exec"), module.__dict__)
        fast = busy(Each(module.Far()))
        for _ in range(3):
            assert fast([1, 2, 3]) == [101, 102, 103]
            for site in type(fast)._operator_optimized.plan.rewritten.sites.values():
                site.stays = False
    finally:
        del sys.modules["not_to_be_found"], linecache.cache["<far>"]


class Long(Operator):
    def forward(self, x):
        if x == 1:
            raise ValueError(x)
        return sum(range(10**9 * x))


def test_processes_do_not_go_on_with_what_nobody_wants_any_more():
    with pytest.raises(ValueError, match="1"):  # the other one would take a minute
        busy(Each(Long()))([1, 10])
