"""Every attribute that the documentation of Tensorlake functions lists: its default, its range, and what is refused.

For a function, for a class, and for `operator`, which has the same attributes and range, and asks for nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from operator_lib import Graph, Image, Retries, errors, operator, options
from operator_lib.frontends import tensorlake
from operator_lib.frontends.tensorlake import TensorlakeCompute, tensorlake_function


@operator
def successor(x: int) -> int:
    return x


# attribute: what it is without being said in the front end, and for `operator`; values that are taken; that are not
ATTRIBUTES: dict[str, tuple[Any, Any, list[Any], list[Any]]] = {
    "image": (None, None, [Image(python_packages=["numpy"])], [5, ["debian"]]),
    "input_encoder": ("json", "json", ["json", "cloudpickle"], ["xml", "pickle", 1]),
    "output_encoder": ("json", "json", ["json", "cloudpickle"], ["xml", "", True]),
    "secrets": (None, (), [["A"], ["A", "B_2"], []], ["A", [1], ["no spaces"]]),
    "next": (None, (), [successor, [successor]], ["successor", [1], 5]),
    "name": ("function", None, ["x", "x" * 200, "a-Z_0.9!*'()"], ["x" * 201, "a b", "a/b", 5]),
    "description": ("", None, ["in words"], [5]),
    "retries": (None, None, [Retries(), Retries(3, 0.5, 10.0, 1.5), 2], [-1, True, "2", 1.5]),
    "timeout": (300, None, [1, 300, 172800], [0, 172801, 1.5, True, "5", -1]),
    "use_ctx": (False, False, [True, False], ["yes", 1, [True]]),
    "accumulate": (None, None, [int, list, dict, lambda: 5], []),
    "cacheable": (False, False, [True, False], ["yes", 1]),
    "cpu": (1.0, None, [1.0, 1, 2.25, 8.0], [0.99, 8.01, "2", True, float("nan")]),
    "memory": (1.0, None, [1.0, 1.5, 32.0], [0.99, 32.01, "1GB", True]),
    "ephemeral_disk": (2.0, None, [2.0, 2, 50.0], [1.99, 50.01, "10", False]),
    "gpu": (None, None, ["H100", "A100-40GB:4", ["A100-40GB:4", "H100:2"]], ["H100:0", "", ":2", [], 5]),
}
TAKEN = [(name, value) for name, row in ATTRIBUTES.items() for value in row[2]]
REFUSED = [(name, value) for name, row in ATTRIBUTES.items() for value in row[3]]


def of_function(**said: Any) -> Any:
    def function(ctx: Any = None, x: int = 0, y: int = 0) -> int:
        return x

    return tensorlake_function(**said)(function)


def of_class(**said: Any) -> Any:
    return type("function", (TensorlakeCompute,), {"run": lambda self, ctx=None, x=0, y=0: x, **said})


def of_operator(**said: Any) -> Any:
    def function(ctx: Any = None, x: int = 0, y: int = 0) -> int:
        return x

    return operator(function, **said)


WAYS = {"a function": of_function, "a class": of_class, "an operator": of_operator}
Way = Callable[..., Any]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return WAYS[request.param]


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_without_being_said(name: str) -> None:
    in_the_front_end, here, _, _ = ATTRIBUTES[name]
    assert getattr(of_function(), name) == in_the_front_end
    assert getattr(of_class(), name) == in_the_front_end
    assert getattr(options.of(operator(lambda x: x)), name) == here


@pytest.mark.parametrize(("name", "value"), TAKEN)
def test_what_is_taken(way: Way, name: str, value: Any) -> None:
    made = way(**{name: value})
    read = getattr(options.Options.parse("function", **{name: value}), name)
    assert getattr(options.of(made), name) == read
    if way is not of_operator and name != "next":
        assert getattr(made, name) == value


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_what_is_refused(way: Way, name: str, value: Any) -> None:
    """Where it is written, with the name of the function and of the attribute."""
    with pytest.raises(errors.OptionError, match=rf"^[\w<> ]*function[\w<> ]*\.{name}: .*must be"):
        way(**{name: value})


def test_all_mistakes_are_told_at_once(way: Way) -> None:
    with pytest.raises(errors.OptionError) as found:
        way(cpu=0, memory=64, timeout=0)
    assert sorted(line.split(":")[0] for line in str(found.value).splitlines()) == [
        "function.cpu", "function.memory", "function.timeout",
    ]  # fmt: skip


def test_the_request_comes_first_with_either_name(way: Way) -> None:
    for name in ("use_ctx", "inject_ctx"):
        graph = (Graph if way is of_operator else tensorlake.Graph)("g", way(**{name: True}))
        assert graph(x=7, y=1) == 7


@pytest.mark.parametrize("kind", [Graph, tensorlake.Graph])
def test_retries_of_a_workflow(kind: Any) -> None:
    """They are those of its functions that say none themselves; saying none is saying something."""
    calls: list[str] = []

    def fails(name: str, **said: Any) -> Any:
        def function(x: int) -> int:
            calls.append(name)
            raise ValueError(name)

        make = operator if kind is Graph else tensorlake_function
        return make(name=name, **said)(function)

    graph = kind("g", fails("inherits"), retries=Retries(max_retries=2, initial_delay=0))
    with pytest.raises(ValueError, match="inherits"):
        graph(1)
    graph = kind("g", fails("own", retries=Retries(max_retries=0)), retries=Retries(max_retries=2, initial_delay=0))
    with pytest.raises(ValueError, match="own"):
        graph(1)
    assert calls == ["inherits"] * 3 + ["own"]
    for bad in (-1, "2"):
        with pytest.raises(errors.OptionError, match=r"retries: must be"):
            kind("g", fails("own"), retries=bad)


def test_a_region_is_taken_and_means_nothing(way: Way) -> None:
    if way is not of_operator:
        assert way(region="us-west").region == "us-west"
        with pytest.raises(errors.OptionError, match=r"function\.region: must be text, got 5"):
            way(region=5)
