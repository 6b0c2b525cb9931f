"""Operators can be pickled like the functions, classes and objects that they are."""

from __future__ import annotations

import copy
import functools
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from operator_lib import Operator, OperatorDict, OperatorList, Sequential, operator
from operator_lib.lib import Shell


@operator(cpu=2)
def square(i: float = 4) -> float:
    return i * i


@operator
async def later(x: int) -> int:
    return x


@operator
class Bar:
    def __init__(self, x: int = 1) -> None:
        self.x = x

    def inc(self) -> int:
        self.x += 1
        return self.x


class Node(Operator):
    def __init__(self, n: int, *below: Any) -> None:
        self.n = n
        self.below = list(below)

    def forward(self, x: int) -> int:
        for child in self.below:
            x = child(x)
        return x + self.n


class Undecorated:
    def __init__(self) -> None:
        self.value = 5


power = operator(functools.partial(pow, 2))
SHARED = Node(1)
PICKLERS = pytest.mark.parametrize("pickler", [pickle, cloudpickle], ids=["pickle", "cloudpickle"])


@PICKLERS
def test_functions_go_by_reference(pickler: Any) -> None:
    assert pickler.loads(pickler.dumps(square)) is square
    assert pickler.loads(pickler.dumps(later)) is later
    assert len(pickler.dumps(square)) < 200


@PICKLERS
def test_classes_and_their_objects(pickler: Any) -> None:
    assert pickler.loads(pickler.dumps(Bar)) is Bar
    bar = pickler.loads(pickler.dumps(Bar(7)))
    assert type(bar) is Bar
    assert bar.inc() == 8


@PICKLERS
def test_trees_keep_their_shape(pickler: Any) -> None:
    tree = Node(1, SHARED, [SHARED, square], Bar(3))
    tree.below = [SHARED, Node(2, SHARED), square]
    again = pickler.loads(pickler.dumps(tree))
    assert again(3) == tree(3)
    assert again.below[0] is again.below[1].below[0]
    assert again.below[2] is square
    assert repr(again) == repr(tree)


@PICKLERS
def test_a_tree_with_a_cycle(pickler: Any) -> None:
    node = Node(1)
    node.me = node
    again = pickler.loads(pickler.dumps(node))
    assert again.me is again


@PICKLERS
@pytest.mark.parametrize(
    ("op", "argument"),
    [
        (Sequential(Node(1), square), 2),
        (OperatorList([Node(1)]), None),
        (OperatorDict({"a": Node(1)}), None),
        (Shell("echo {x}"), None),
        (power, 5),
        (Node(1).with_options(retries=2), 2),
    ],
    ids=lambda value: type(value).__name__,
)
def test_ready_made_operators(pickler: Any, op: Any, argument: Any) -> None:
    again = pickler.loads(pickler.dumps(op))
    assert repr(again) == repr(op)
    if argument is not None:
        assert again(argument) == op(argument)


def test_lambdas_and_local_functions_by_value() -> None:
    step = 5

    @operator(cpu=2)
    def local(x: int) -> int:
        """Adds."""
        return x + step

    again = cloudpickle.loads(cloudpickle.dumps(local))
    assert again(1) == 6
    assert again.__doc__ == "Adds."
    assert repr(again) == repr(local)
    assert cloudpickle.loads(cloudpickle.dumps(operator(lambda x: x * 2)))(4) == 8


def test_local_classes_by_value() -> None:
    @operator
    class Local:
        def __init__(self) -> None:
            self.x = 1

        def inc(self) -> int:
            self.x += 1
            return self.x

    again = cloudpickle.loads(cloudpickle.dumps(Local()))
    assert again.inc() == 2
    assert isinstance(again, Operator)
    assert cloudpickle.loads(cloudpickle.dumps(Local))().x == 1


@PICKLERS
def test_wrapped_objects(pickler: Any) -> None:
    again = pickler.loads(pickler.dumps(Operator.from_class(Undecorated())))
    assert again.value == 5
    assert isinstance(again, Undecorated)
    assert isinstance(again, Operator)


@PICKLERS
def test_functions_wrapped_under_another_name(pickler: Any) -> None:
    again = pickler.loads(pickler.dumps(Operator.from_fn(module_level)))
    assert isinstance(again, Operator)
    assert again(2) == 3


def module_level(x: int) -> int:
    return x + 1


def test_deep_copies() -> None:
    tree = Node(1, SHARED, square, Bar(2))
    again = copy.deepcopy(tree)
    assert again.below[0] is not SHARED
    assert again.below[1] is square
    again.below[2].inc()
    assert tree.below[2].x == 2
    assert copy.copy(tree).below is tree.below


def test_across_processes(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from operator_lib import Operator, operator\n"
        "@operator\ndef square(x): return x * x\n"
        "@operator\nclass Bar:\n    def __init__(self, x=1): self.x = x\n"
        "class Node(Operator):\n"
        "    def __init__(self): self.f = square\n"
        "    def forward(self, x): return self.f(x) + 1\n"
    )
    write = "import pickle, sys, mine; sys.stdout.buffer.write(pickle.dumps([mine.square, mine.Bar(5), mine.Node()]))"
    read = "import pickle, sys; f, bar, node = pickle.load(sys.stdin.buffer); print(f(3), bar.x, node(3))"
    data = subprocess.run([sys.executable, "-c", write], cwd=tmp_path, capture_output=True, check=True).stdout
    done = subprocess.run([sys.executable, "-c", read], cwd=tmp_path, input=data, capture_output=True, check=True)
    assert done.stdout.split() == [b"9", b"5", b"10"]
