"""Sequential, OperatorList, OperatorDict."""

from __future__ import annotations

import pytest

from operator_lib import Operator, OperatorDict, OperatorList, Sequential, operator


class Add(Operator):
    def __init__(self, n: int) -> None:
        self.n = n

    def forward(self, x: int) -> int:
        return x + self.n


def test_sequential_calls_one_after_another() -> None:
    chain = Sequential(Add(1), operator(lambda x: x * 10), Add(2))
    assert chain(1) == 22
    assert len(chain) == 3
    assert isinstance(chain, Operator)
    assert [name for name, _ in chain.named_operators()] == ["", "steps.0", "steps.1", "steps.2"]
    assert chain[0].n == 1
    assert chain[-1].n == 2
    assert [type(step).__name__ for step in chain] == ["Add", "FunctionOperator", "Add"]


def test_a_slice_of_a_sequential_is_one() -> None:
    chain = Sequential(Add(1), Add(2), Add(3))[1:]
    assert isinstance(chain, Sequential)
    assert chain(0) == 5


def test_an_empty_sequential_gives_back_its_input() -> None:
    assert Sequential()(5) == 5
    assert bool(Sequential())


def test_sequentials_nest() -> None:
    assert Sequential(Sequential(Add(1), Add(2)), Add(3))(0) == 6


def test_a_list_of_operators() -> None:
    held = OperatorList([Add(1), Add(2)])
    held.append(Add(3))
    held.insert(0, Add(0))
    held[1] = Add(10)
    assert [op.n for op in held] == [0, 10, 2, 3]
    del held[0]
    assert len(held) == 3
    assert held[0] in held
    assert [name for name, _ in held.named_operators()] == ["", "items.0", "items.1", "items.2"]
    assert [op.n for op in held[1:]] == [2, 3]
    assert isinstance(held[1:], OperatorList)
    held += [Add(4)]
    assert [op.n for op in reversed(held)] == [4, 3, 2, 10]
    assert held.pop().n == 4


def test_a_dict_of_operators() -> None:
    held = OperatorDict({"one": Add(1)})
    held["two"] = Add(2)
    held.update(three=Add(3))
    assert list(held) == ["one", "two", "three"]
    assert [name for name, _ in held.named_operators()] == ["", "by_name.one", "by_name.two", "by_name.three"]
    del held["one"]
    assert "one" not in held
    assert len(held) == 2
    assert held["two"](1) == 3
    assert [key for key, _ in held.items()] == ["two", "three"]
    assert OperatorDict([("a", Add(1))])["a"].n == 1
    assert held.get("absent") is None
    with pytest.raises(KeyError):
        held["absent"]


@pytest.mark.parametrize("empty", [Sequential(), OperatorList(), OperatorDict()])
def test_an_operator_is_true_even_when_empty(empty: Operator) -> None:
    assert bool(empty)
    assert len(empty) == 0  # type: ignore[arg-type]


@pytest.mark.parametrize("container", [OperatorList([Add(1)]), OperatorDict({"a": Add(1)})])
def test_lists_and_dicts_cannot_be_called(container: Operator) -> None:
    with pytest.raises(NotImplementedError, match=type(container).__name__):
        container(1)


def test_containers_show_what_they_hold() -> None:
    assert repr(OperatorDict({"a": Add(1)})) == "OperatorDict(\n  (by_name.a): Add()\n)"


class Model(Operator):
    def __init__(self) -> None:
        self.layers = OperatorList(Add(i) for i in range(3))
        self.heads = OperatorDict({"x": Add(100)})

    def forward(self, x: int) -> int:
        for layer in self.layers:
            x = layer(x)
        return self.heads["x"](x)


def test_containers_as_children() -> None:
    model = Model()
    assert model(0) == 103
    assert [name for name, _ in model.named_operators()] == [
        "", "layers", "layers.items.0", "layers.items.1", "layers.items.2", "heads", "heads.by_name.x",
    ]  # fmt: skip
