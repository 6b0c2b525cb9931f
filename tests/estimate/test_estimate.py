"""Estimates of real programs: where other runs end up, what is said of loops, branches and what is not known."""

import random
import time

import pytest

from operator_lib import Operator, operator, record
from operator_lib.estimate import trips


class Wait(Operator):
    def __init__(self, seconds):
        self.seconds = seconds

    def forward(self, x, factor=1.0):
        time.sleep(self.seconds * factor)
        return x


class Pair(Operator):
    def __init__(self):
        self.first, self.second = Wait(0.0004), Wait(0.0008)

    def forward(self, x, factor):
        return self.first(x, factor) + self.second(x, factor)


class Program(Operator):
    """The size of its input makes all of it slow: the times of its nodes belong together."""

    def __init__(self):
        self.load = Wait(0.001)
        self.pair = Pair()
        self.models = [Wait(0.002), Wait(0.002)]
        self.tune = Wait(0.004)
        self.never = Wait(1)

    def forward(self, factor, rounds, tuned):
        x = self.load(1, factor)
        for _ in range(rounds):
            x = self.pair(x, factor)
        a, b = [model(x, factor) for model in self.models]
        if tuned:
            a = self.tune(a, factor)
        if x < 0:
            self.never(x)
        return a + b


def run(op, chance):
    factor, rounds, tuned = chance.uniform(1, 4), chance.randrange(1, 4), chance.random() < 0.3
    with record(decisions=False) as seen:
        op(factor, rounds, tuned)
    return seen


def took(seen):
    times = [event["t"] for event in seen.events if event["kind"] == "node" and event["call"] == 1]
    return times[-1] - times[0]


@pytest.fixture(scope="module")
def known():
    """A program, runs of it, and other runs between those."""
    op, chance = Program(), random.Random(7)
    runs = [run(op, chance) for _ in range(100)]
    return op, runs[::2], runs[1::2]


def test_other_runs_end_in_the_band(known):
    op, history, others = known
    found = op.estimate(history)
    seconds = sorted(took(one) for one in others)
    inside = sum(found.p10 <= one <= found.p90 for one in seconds) / len(seconds)
    assert inside >= 0.55  # of 50 runs; 0.8 is expected
    assert seconds[0] < found.p10 < found.p50 < found.p90 < seconds[-1]
    assert (found.runs, found.few) == (50, False)


def test_loops_branches_and_what_never_ran(known):
    op, history, _ = known
    found = op.estimate(history)
    by_title = {node.title: node for node in found.nodes}
    loop = by_title["for _ in range(rounds)"]
    assert (loop.trips.p10, loop.trips.p90) == (1, 3)
    assert 0.1 < by_title["if tuned"].frequency < 0.6
    assert by_title["models.0: Wait"].frequency == 1
    assert by_title["pair: Pair"].seconds.p50 > by_title["pair.first: Wait"].seconds.p50
    assert [node.title for node in found.unknown] == ["never: Wait"]
    assert "no data, and not part of it: never: Wait" in str(found)
    assert found.to_json()["unknown"] == [node.id for node in found.unknown]
    assert "never: Wait" in found._repr_html_()


def test_the_critical_path_and_more_workers(known):
    op, history, _ = known
    found = op.estimate(history, workers=3)
    names = [found.dag.node(id).operator for id in found.critical.nodes]
    assert names[0] == "load"
    assert "pair.second" in names
    assert "pair.first" not in names
    assert len({"models.0", "models.1"} & set(names)) == 1
    assert found.workers[1] > found.workers[2] >= found.workers[3]
    assert [found.p50, found.what_if(3)] == pytest.approx([found.workers[1], found.workers[3]])
    with pytest.raises(ValueError, match="at least 1"):
        found.what_if(0)


class Picky(Operator):
    def forward(self, x):
        if x % 2:
            raise ValueError(x)
        return x


class Forgiving(Operator):
    """Goes on when a child fails."""

    def __init__(self):
        self.picky = Picky()

    def forward(self, xs):
        total = 0
        for x in xs:
            try:
                total += self.picky(x)
            except ValueError:
                continue
        return total


def test_a_failure_that_was_caught_is_part_of_a_run_that_came_to_its_end():
    op = Forgiving()
    with record() as caught:
        assert op([1, 2, 3]) == 2
    with record() as ended, pytest.raises(TypeError):
        op([1, None])
    found = op.estimate([caught, ended])
    assert found.runs == 1
    assert [(node.kind, node.trips.p50) for node in found.nodes] == [("loop", 3), ("call", 3)]


def test_without_runs_nothing_is_guessed():
    @operator
    def nothing(x):
        return x

    found = nothing.estimate()
    assert (found.p50, found.runs, found.what_if(2)) == (None, 0, None)
    assert "there is no run to tell from" in str(found)
    with record():
        nothing(1)
        with pytest.raises(TypeError):
            nothing()
    assert nothing.estimate().runs == 1  # one that failed says nothing
    assert "few runs" in str(nothing.estimate())
    with pytest.raises(ValueError, match="workers"):
        nothing.estimate(workers=0)


BEFORE = """
from operator_lib import Operator
import time
class Wait(Operator):
    def __init__(self, seconds): self.seconds = seconds
    def forward(self, x):
        time.sleep(self.seconds)
        return x
class Program(Operator):
    def __init__(self): self.a, self.b, self.c = Wait(0.001), Wait(0.004), Wait(0.001)
    def forward(self, x):
        return self.c(self.b(self.a(x)))
"""


def test_runs_of_an_earlier_version_count_for_what_both_have(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "earlier_program.py").write_text(BEFORE)
    (tmp_path / "later_program.py").write_text(BEFORE.replace("self.c(self.b(self.a(x)))", "self.c(self.a(x))"))
    import earlier_program
    import later_program

    op = earlier_program.Program()
    history = []
    for _ in range(10):
        with record() as seen:
            op(1)
        history.append(seen)
    before, now = op.estimate(history), later_program.Program().estimate(history)
    assert now.runs == 10
    assert {node.operator for node in now.dag.nodes if node.kind == "call"} == {"a", "c"}
    assert now.p50 < before.p50 - 0.0035  # that of `b`


class Often(Operator):
    def __init__(self):
        self.leaf = operator(lambda x: x)

    def forward(self, count):
        for x in range(count):
            self.leaf(x)


def test_of_very_many_calls_all_are_counted_and_some_times_kept():
    op = Often()
    with record(decisions=False) as seen:
        op(30_000)
    (trip,) = trips(op.dag(), seen.events)
    ((node, times),) = trip.nodes.items()
    assert (trip.calls[node], len(times)) == (30_000, 10_000)
    (told,) = [one for one in op.estimate([seen]).nodes if one.id == node]
    assert told.trips.p50 == 30_000
