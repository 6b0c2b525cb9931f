"""Why a recorded run went the way it did: conditions, loops and handlers, with the values that they went by."""

import contextvars
import gc
import importlib
import sys
import traceback
import weakref

import cloudpickle
import numpy as np
import pytest

from operator_lib import Operator, operator, record
from operator_lib.lib import Shell


class Score(Operator):
    def __init__(self, floor):
        self.floor = floor

    def forward(self, scores):
        kept = 0
        for score in scores:
            if score < self.floor and not score == 0:  # noqa: SIM201
                continue
            if (half := score / 2) > 1:
                kept += half
        while kept > 1:
            kept -= 1
        try:
            scores[99]
        except (KeyError, IndexError) as error:
            kept = f"{kept:.1f}{type(error).__name__}"
        match scores:
            case [one]:
                return one
            case [_, *rest] if len(rest) > 1:
                return [x for x in rest if x > 1], kept
        return "high" if scores else "none"


def test_every_condition_loop_and_handler_says_how_it_went():
    with record() as seen:
        assert Score(0.98)([0.972, 4, 0]) == ([4], "1.0IndexError")
    first = Score.forward.__code__.co_firstlineno
    told = [str(one).replace(f"line {one.line}", str(one.line - first)) for one in seen.decisions]
    assert told == [
        "3 `score < self.floor and not score == 0`: 0.972 < 0.98 and (not 0.972 == 0) → taken",
        "3 `score < self.floor and not score == 0`: 4 < 0.98 and (not … == 0) → not taken",
        "5 `(half := score / 2) > 1`: 2.0 > 1 → taken",
        "3 `score < self.floor and not score == 0`: 0 < 0.98 and (not 0 == 0) → not taken",
        "5 `(half := score / 2) > 1`: 0.0 > 1 → not taken",
        "2 `for score in scores`: [0.972, 4, 0] → 3 rounds",
        "7 `kept > 1`: 2.0 > 1 → goes on",
        "7 `kept > 1`: 1.0 > 1 → ends",
        "11 `except (KeyError, IndexError)`: IndexError('list index out of range') → caught",
        "16 `len(rest) > 1`: 2 > 1 → taken",
        "13 `match scores`: [0.972, 4, 0] → case [_, *rest]",
        "17 `x > 1`: 4 > 1 → kept",
        "17 `x > 1`: 0 > 1 → left out",
    ]
    assert all(one.replay() in (None, one.outcome) for one in seen.decisions)
    with record() as none:
        Score(1)([])
    assert [(one.what, one.words) for one in none.decisions] == [
        ("for", "0 rounds"), ("while", "ends"), ("except", "caught"), ("ternary", "not taken"), ("match", "no case"),
    ]  # fmt: skip
    with record(decisions=False) as without:
        Score(1)([1])
    assert not without.decisions


def smaller(x):
    if x > 1:
        return smaller(x // 2)
    return x


class Fits(Operator):
    def __init__(self):
        self.leaf = operator(lambda x: x)

    def fit(self, x):
        return self.__fit(x) if x else 0

    def __fit(self, x):
        while x < 3:
            x = self.leaf(x) + 1
        return x

    def forward(self, x):
        return [self.fit(x) + smaller(4) for _ in range(20)]


def test_functions_and_methods_of_the_project_are_followed():
    with record() as seen:
        assert Fits()(1) == [4] * 20
    shown = [str(one).split(" ", 2)[2] for one in seen.decisions[:7]]
    assert shown == [
        "`x`: 1 → taken", "`x < 3`: 1 < 3 → goes on", "`x < 3`: 2 < 3 → goes on", "`x < 3`: 3 < 3 → ends",
        "`x > 1`: 4 > 1 → taken", "`x > 1`: 2 > 1 → taken", "`x > 1`: 1 > 1 → not taken",
    ]  # fmt: skip
    assert len(seen.decisions) < 60
    dag = seen.dag()
    assert dag.node("leaf").count == 40
    assert "unplaced" not in dag.extra


class Counted:
    """Says how often it is asked."""

    def __init__(self):
        self.asked = []

    def __repr__(self):
        raise AssertionError("nobody may ask for this")

    __str__ = __repr__

    def __bool__(self):
        self.asked.append("bool")
        return True

    def __lt__(self, other):
        self.asked.append("lt")
        return self

    @property
    def size(self):
        self.asked.append("size")
        return 3


def test_nothing_is_evaluated_twice_and_no_code_of_a_value_runs():
    class Asks(Operator):
        def forward(self, value, password, text):
            found = [1 for _ in range(3) if value]
            if value < 5 and value.size == 3:
                found.append(value)
            if password == "xyzzy-1234" or text:
                found.append(2)
            return found

    value = Counted()
    with record() as seen:
        Asks()(value, "not this one", "long " * 10_000)
    assert value.asked == ["bool"] * 3 + ["lt", "bool", "size"]
    texts = [str(one) for one in seen.decisions]
    assert "<Counted> < 5 and 3 == 3 → taken" in texts[-2]
    assert "not this one" not in str(texts)
    assert "<str of 50,000 characters>" in texts[-1]


def test_secrets_of_the_environment_are_not_shown(monkeypatch):
    monkeypatch.setenv("SERVICE_API_KEY", "very-hidden-value")

    @operator
    def check(header):
        if header == ["Bearer"] or header.get("a") is None:
            return 1
        return 0

    with record() as seen:
        check({"via": "very-hidden-value", "b": b"very-hidden-value", "Authorization": "Bearer other-hidden"})
    assert "very-hidden" not in str(seen.events)
    assert "other-hidden" not in str(seen.events)
    assert "***SERVICE_API_KEY***" in str(seen.events)


class Deep(Operator):
    def forward(self, n):
        total = 0
        for i in range(n):
            if i % 3 == 1:
                continue
            inner = 0
            while inner < i % 7:
                inner += 1
                if inner == 5:
                    break
            else:
                total += 1
            for j in (x for x in range(i % 5)):
                total += j
            else:
                total += 2
            if total > 200_000:
                return total
        else:
            total = -total
        return total


class Fails(Operator):
    def forward(self, xs):
        for x in xs:
            if x > 30:
                raise ValueError(x)
        for x in 5:
            pass


class Leaves(Operator):
    """Leaves the recording that it was called in, in the middle of a loop."""

    def forward(self, xs, recording, done):
        for x in xs:
            done.append(x)
            if x == 1:
                recording.__exit__(None, None, None)
        left = list(xs)
        while left.pop():
            pass
        done.append(len(left))


def test_a_loop_goes_on_when_nobody_listens_any_more():
    done, recording = [], record()

    def left_inside():
        seen = recording.__enter__()
        Leaves()(range(100), recording, done)
        return seen

    seen = contextvars.copy_context().run(left_inside)  # the call that goes on brings the recording's context back
    assert done == [*range(100), 0]
    assert "x == 1" in [one.source for one in seen.decisions]


class Makes(Operator):
    def forward(self, x):
        def least(y, floor=x):
            return floor if y < floor else y

        return least, lambda y: "high" if y > 3 else "low"


def test_functions_that_are_made_inside_are_what_they_were():
    op = Makes()
    with record():
        made = op(2)
    for own, plain in zip(made, op.forward(2), strict=True):
        assert own.__code__ == plain.__code__
        assert (own.__qualname__, own(1)) == (plain.__qualname__, plain(1))
        assert cloudpickle.loads(cloudpickle.dumps(own))(5) == plain(5)


class Odd(Operator):
    def forward(self, kind):
        class Inner:
            pass

        if kind == "far":
            for i in range(10**30):
                if i == 30:
                    return Inner.__qualname__, (lambda: 0).__qualname__
        rows = 0
        for _ in np.matrix([[1, 2], [3, 4]]):
            rows += 1
        return rows


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_unusual_values_and_names_are_what_they_were():
    with record() as seen:
        assert [Odd()("far"), Odd()("rows")] == [Odd().forward("far"), 2]
    assert {one.line for one in seen.decisions}


def test_a_file_that_has_changed_since_is_not_what_runs(tmp_path, monkeypatch):
    text = "from operator_lib import Operator\nclass Old(Operator):\n    def forward(self, x):\n        "
    (tmp_path / "changing.py").write_text(text + "return 1 if x > 0 else 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    old = importlib.import_module("changing").Old()
    (tmp_path / "changing.py").write_text(text + "return 1.0 if x > 5 else 2\n")
    with record() as seen:
        assert repr(old(3)) == "1"
    assert not seen.decisions


def test_operators_of_the_library_tell_nothing():
    with record() as seen:
        assert Shell("echo {x}")(x=1).stdout == "1\n"
    assert not seen.decisions


def test_what_was_recorded_goes_with_its_recording():
    op = Score(1)
    gone = weakref.ref(op)
    with record() as seen:
        op([1])
    assert seen.decisions
    del op, seen
    gc.collect()
    assert gone() is None


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax is of 3.12")
def test_functions_with_parameters_of_types(tmp_path, monkeypatch):
    text = "from operator_lib import Operator\nclass Of(Operator):\n    def forward[T](self, x: T) -> T:\n        "
    (tmp_path / "generic.py").write_text(text + "return x if x else T\n")
    monkeypatch.syspath_prepend(tmp_path)
    with record() as seen:
        assert importlib.import_module("generic").Of()(3) == 3
    assert [str(one) for one in seen.decisions] == ["line 4 `x`: 3 → taken"]


@pytest.mark.parametrize("n", [0, 1, 19, 20, 21, 500])
def test_long_loops_do_the_same_and_tell_their_first_rounds(n):
    with record() as seen:
        assert Deep()(n) == Deep().forward(n)
    ends = [one for one in seen.decisions if one.source == "for i in range(n)"]
    assert [one.outcome for one in ends] == [f"{n} round{'s' * (n != 1)}"]
    assert len(seen.decisions) < 120


@pytest.mark.parametrize("xs", [[1, 2], range(100), iter(range(100)), 7])
def test_tracebacks_are_those_of_the_program(xs):
    def frames(call):
        with pytest.raises((ValueError, TypeError)) as caught:
            call()
        lines = traceback.extract_tb(caught.value.__traceback__)
        return str(caught.value), [(f.name, f.lineno, f.line) for f in lines if f.name == "forward"]

    again = iter(range(100)) if not isinstance(xs, list | range | int) else xs
    plain = frames(lambda: Fails()(xs))
    with record():
        recorded = frames(lambda: Fails()(again))
    assert recorded == plain
    assert recorded[1][-1][0] == "forward"


def test_what_is_decided_often_is_told_at_first_and_now_and_then():
    class Child(Operator):
        def forward(self, x):
            return "big" if x > 10 else "small"

    class Often(Operator):
        def __init__(self):
            self.child = Child()

        def forward(self, n):
            return [self.child(i) for i in range(n)]

    op = Often()
    with record() as seen:
        assert op(1000) == ["small"] * 11 + ["big"] * 989
    kept = [one for one in seen.decisions if one.operator == "child"]
    assert 10 <= len(kept) < 100
    assert [one.values[0][2] for one in kept[:10]] == [str(i) for i in range(10)]
