"""What is done to a whole tree: apply, propagate, remote_init, thaw, repr."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest

from operator_lib import Operator, operator, record


class Node(Operator):
    def __init__(self, name: str, *children: Any) -> None:
        self.name = name
        self.below = list(children)

    def forward(self, x: int = 0) -> int:
        for child in self.below:
            x = child(x)
        return x + 1

    def __remote_init__(self) -> None:
        LOG.append(self.name)


LOG: list[str] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    LOG.clear()


def family() -> Node:
    shared = Node("shared")
    return Node("root", Node("a", shared, Node("b")), shared, Node("c"))


def test_apply_visits_children_first_and_each_once() -> None:
    tree = family()
    seen: list[str] = []
    assert tree.apply(lambda op: seen.append(op.name)) is tree
    assert seen[-1] == "root"
    assert sorted(seen) == ["a", "b", "c", "root", "shared"]
    assert seen.index("shared") < seen.index("a")
    assert seen.index("b") < seen.index("a")


def test_apply_passes_exceptions_on() -> None:
    with pytest.raises(ZeroDivisionError):
        family().apply(lambda op: 1 / 0)


def test_propagate_reaches_everybody_and_returns_self() -> None:
    tree = family()
    assert tree.propagate(debug=True, level=3) is tree
    assert all(op.debug is True and op.level == 3 for op in tree.operators())
    assert tree.propagate() is tree


@pytest.mark.parametrize("name", ["forward", "deploy", "children", "__call__", "map"])
def test_propagate_refuses_method_names_and_sets_nothing(name: str) -> None:
    tree = family()
    with pytest.raises(ValueError, match=name):
        tree.propagate(debug=True, **{name: 1})
    assert not any("debug" in vars(op) for op in tree.operators())


def test_propagate_refuses_a_method_of_any_operator_in_the_tree() -> None:
    class Special(Operator):
        def tune(self) -> None: ...

    tree = Node("root", Special())
    with pytest.raises(ValueError, match=r"tune.*Special.*below\.0"):
        tree.propagate(tune=1)


def test_a_propagated_operator_is_nobodys_child() -> None:
    tree = family()
    before = [name for name, _ in tree.named_operators()]
    logger = Node("logger")
    tree.propagate(logger=logger)
    assert all(op.logger is logger for op in tree.operators())
    assert [name for name, _ in tree.named_operators()] == before
    assert "logger" not in repr(tree)


def test_remote_init_is_parent_first_and_shared_children_once() -> None:
    tree = family()
    assert tree.remote_init() is tree
    assert LOG == ["root", "a", "shared", "b", "c"]


def test_remote_init_is_not_called_here() -> None:
    family()(1)
    assert LOG == []


def test_remote_init_reaches_operators_made_by_the_parents_hook() -> None:
    class Late(Node):
        def __remote_init__(self) -> None:
            super().__remote_init__()
            self.below.append(Node("made late"))

    Late("late").remote_init()
    assert LOG == ["late", "made late"]


def test_remote_init_of_a_tree_of_functions() -> None:
    operator(lambda: 1).remote_init()
    Node("root", operator(lambda x: x)).remote_init()
    assert LOG == ["root"]


def test_repr_is_that_of_torch() -> None:
    assert repr(Node("leaf")) == "Node()"
    assert repr(Node("root", Node("a", Node("b")), Node("c"))) == (
        "Node(\n  (below.0): Node(\n    (below.0): Node()\n  )\n  (below.1): Node()\n)"
    )


def test_repr_names_functions_and_options() -> None:
    @operator(cpu=2)
    def work() -> None: ...

    assert repr(operator(family)) == "family()"
    assert "cpu=2" in repr(work)
    assert repr(work).startswith(f"{work.__qualname__}(")
    assert "retries" in repr(Node("x").with_options(retries=2))


def test_repr_shows_no_secret_values() -> None:
    @operator(environment_variables={"KEY": "hunter2"})
    def work() -> None: ...

    assert "hunter2" not in repr(work)


def test_thaw_hangs_the_nodes_of_a_dag_on_the_tree() -> None:
    dag = family().dag()
    tree = family()
    assert tree.thaw(dag) is tree
    called = {node.operator for node in dag.nodes if node.kind == "call" and node.operator}
    for path, op in tree.named_operators():
        assert [node.operator for node in op.nodes] == [path] * len(op.nodes)
        assert (path in called) == bool(op.nodes)
    assert called


class Pair(Operator):
    def __init__(self) -> None:
        self.left = Node("left")
        self.right = Node("right")

    def forward(self, x: int) -> int:
        return self.left(x) if x > 0 else self.right(self.left(x))


def test_thaw_takes_json_and_text_and_recordings() -> None:
    with record() as seen:
        Pair()(1)
    for source in (seen, seen.dag().to_json(), json.loads(seen.dag().to_json())):
        tree = Pair().thaw(source)
        assert [node.status for node in tree.left.nodes] == ["done", "skipped"]
        assert [node.status for node in tree.right.nodes] == ["skipped"]
    assert Pair().nodes == ()


def test_thaw_takes_a_run() -> None:
    run = Pair().submit(-1)
    run.result(30)
    tree = Pair().thaw(run)
    assert [node.status for node in tree.right.nodes] == ["done"]


def test_thaw_warns_of_what_the_tree_has_not() -> None:
    with pytest.warns(UserWarning, match=r"left.*right"):
        Node("other").thaw(Pair().dag())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Pair().thaw(Pair().dag())
