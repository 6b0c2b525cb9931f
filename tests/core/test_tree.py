"""Who is a child of whom, and under which name."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from typing import Any

import pytest

from operator_lib import Operator, operator


class Leaf(Operator):
    def __init__(self, n: int = 0) -> None:
        self.n = n

    def forward(self, x: int) -> int:
        return x + self.n


class Inner(Operator):
    def __init__(self, *children: Operator) -> None:
        self.held = list(children)

    def forward(self, x: int) -> int:
        for child in self.held:
            x = child(x)
        return x


class Holder(Operator):
    """Takes any attributes."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__()
        for name, value in attributes.items():
            setattr(self, name, value)

    def forward(self) -> None:
        pass


def names(op: Any) -> list[str]:
    return [name for name, _ in op.named_operators()]


def test_attributes_in_definition_order_parent_first() -> None:
    tree = Holder(b=Leaf(), a=Holder(z=Leaf(), y=Leaf()), number=3, text="x")
    assert names(tree) == ["", "b", "a", "a.z", "a.y"]
    assert [name for name, _ in tree.named_children()] == ["b", "a"]
    assert list(tree.children()) == [tree.b, tree.a]
    assert list(tree.operators()) == [tree, tree.b, tree.a, tree.a.z, tree.a.y]


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ([Leaf(), Leaf()], ["held.0", "held.1"]),
        ((Leaf(),), ["held.0"]),
        ({"x": Leaf(), 7: Leaf()}, ["held.x", "held.7"]),
        ([[Leaf()], [[Leaf()]]], ["held.0.0", "held.1.0.0"]),
        ({"a": [Leaf(), {"b": (Leaf(),)}]}, ["held.a.0", "held.a.1.b.0"]),
        ([1, "two", None, Leaf()], ["held.3"]),
        (OrderedDict(one=Leaf()), ["held.one"]),
        (namedtuple("Two", "left right")(Leaf(), Leaf()), ["held.0", "held.1"]),
        ([], []),
        ({}, []),
    ],
)
def test_lists_tuples_and_dicts_at_any_depth(held: Any, expected: list[str]) -> None:
    assert names(Holder(held=held)) == ["", *expected]


def test_sets_and_other_objects_are_not_looked_into() -> None:
    class Box:
        def __init__(self) -> None:
            self.op = Leaf()

    assert names(Holder(boxes=[Box()], group={1, 2}, text="abc")) == [""]


def test_a_list_that_contains_itself_ends() -> None:
    items: list[Any] = [Leaf()]
    items.append(items)
    assert names(Holder(items=items)) == ["", "items.0"]


def test_the_tree_follows_its_attributes() -> None:
    tree = Holder(a=Leaf(), rest=[Leaf()])
    first = tree.a
    tree.a = Leaf(5)
    assert tree.a in list(tree.children())
    assert first not in list(tree.children())
    tree.rest.append(Leaf())
    assert names(tree) == ["", "a", "rest.0", "rest.1"]
    del tree.a
    tree.rest.pop(0)
    assert names(tree) == ["", "rest.0"]
    tree.rest = 5
    assert names(tree) == [""]


def test_forgetting_super_init_does_no_harm() -> None:
    class Forgetful(Operator):
        def __init__(self) -> None:
            self.child = Leaf(1)

        def forward(self, x: int) -> int:
            return self.child(x)

    op = Forgetful()
    assert op(1) == 2
    assert names(op) == ["", "child"]
    assert repr(op) == "Forgetful(\n  (child): Leaf()\n)"


def test_no_init_at_all() -> None:
    class Bare(Operator):
        def forward(self) -> str:
            return "bare"

    assert Bare()() == "bare"
    assert names(Bare()) == [""]


def test_a_shared_child_appears_once_or_at_every_place() -> None:
    shared = Leaf()
    tree = Holder(a=shared, b=[shared], c=Holder(d=shared))
    assert names(tree) == ["", "a", "c"]
    assert [name for name, _ in tree.named_children()] == ["a", "c"]
    every = [name for name, _ in tree.named_operators(remove_duplicate=False)]
    assert every == ["", "a", "b.0", "c", "c.d"]


def test_an_operator_that_contains_itself_ends() -> None:
    tree = Holder(a=Leaf())
    tree.me = tree
    tree.held = [tree, Holder(up=tree)]
    assert names(tree) == ["", "a", "held.1"]
    assert [n for n, _ in tree.named_operators(remove_duplicate=False)] == ["", "a", "held.1"]
    assert "Holder(...)" in repr(tree)
    assert tree.apply(lambda op: None) is tree


def test_two_operators_that_contain_each_other() -> None:
    one, two = Holder(), Holder()
    one.other, two.other = two, one
    assert names(one) == ["", "other"]
    assert names(two) == ["", "other"]


def test_memo_and_prefix() -> None:
    tree = Holder(a=Leaf(), b=Leaf())
    assert [name for name, _ in tree.named_operators(prefix="root")] == ["root", "root.a", "root.b"]
    assert [name for name, _ in tree.named_operators(None, "p", True)] == ["p", "p.a", "p.b"]
    memo: set[int] = {id(tree.a)}
    assert [name for name, _ in tree.named_operators(memo)] == ["", "b"]
    assert {id(tree), id(tree.b)} <= memo
    assert list(tree.named_operators(memo)) == []


def test_deep_trees() -> None:
    tree = Leaf()
    for _ in range(100):
        tree = Inner(tree)
    assert len(names(tree)) == 101
    assert names(tree)[-1] == ".".join(["held.0"] * 100)
    assert tree(1) == 1


def test_functions_are_operators_of_the_tree() -> None:
    double = operator(lambda x: 2 * x)
    tree = Holder(f=double, more=[double])
    assert names(tree) == ["", "f"]
    assert names(double) == [""]


def test_slots_are_searched_too() -> None:
    class Slotted(Operator):
        __slots__ = ("child",)

        def __init__(self) -> None:
            self.child = Leaf()

        def forward(self) -> None:
            pass

    assert names(Slotted()) == ["", "child"]


def test_the_users_private_names_are_the_users() -> None:
    tree = Holder(_options={"a": 1}, _nodes=[Leaf()], _shared=5, _managed="yes", _operators=[Leaf()], nodes=3)
    assert names(tree) == ["", "_nodes.0", "_operators.0"]
    assert tree() is None
    assert tree.nodes == 3
    assert repr(tree).startswith("Holder(\n")
    assert tree.propagate(flag=True).flag


def test_attribute_names_of_the_user_win() -> None:
    tree = Holder(children=[Leaf()], map="mine", deploy=1, apply=None, named_operators="x", submit=2, dag=3)
    assert (tree.map, tree.deploy, tree.apply, tree.named_operators, tree.submit, tree.dag) == (
        "mine", 1, None, "x", 2, 3,
    )  # fmt: skip
    assert repr(tree) == "Holder(\n  (children.0): Leaf()\n)"
    assert [name for name, _ in Holder(inner=tree).named_operators()] == ["", "inner", "inner.children.0"]


def test_methods_of_the_user_win() -> None:
    class Mine(Operator):
        def children(self) -> str:
            return "mine"

        def apply(self, x: int) -> int:
            return x

        def forward(self) -> tuple[str, int]:
            return self.children(), self.apply(3)

    assert Mine()() == ("mine", 3)
    tree = Holder(mine=Mine())
    seen: list[Any] = []
    tree.apply(seen.append)
    assert seen == [tree.mine, tree]
