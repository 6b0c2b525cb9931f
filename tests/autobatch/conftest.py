"""Ways to run a program, and how results are compared."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

from operator_lib.autobatch import Context
from tests.autobatch.programs import PROGRAMS, Program

WAYS = ("program_counter", "stackless", "most", "refill", "loop", "auto", "native", "torch", "jax", "tensorflow")
NEEDS = {"native": "numba", "torch": "torch", "jax": "jax", "tensorflow": "tensorflow"}


def way_params() -> list[Any]:
    """The ways, those whose library is missing marked as skipped."""
    marked: list[Any] = []
    for way in WAYS:
        missing = way in NEEDS and importlib.util.find_spec(NEEDS[way]) is None
        marks = [pytest.mark.skip(f"{NEEDS[way]} is not installed")] if missing else []
        marked.append(pytest.param(way, marks=marks))
    return marked


def options(way: str) -> dict[str, Any]:
    """What makes a context run in that way."""
    if way == "most":
        return {"strategy": "program_counter", "schedule": "most"}
    if way == "refill":
        return {"strategy": "program_counter", "lanes": 3, "schedule": "most"}
    if way == "torch":
        from operator_lib.autobatch import TorchBackend

        return {"backend": TorchBackend()}
    if way == "jax":
        from operator_lib.autobatch import JaxBackend

        return {"backend": JaxBackend()}
    if way == "tensorflow":
        from operator_lib.autobatch import TensorFlowBackend

        return {"backend": TensorFlowBackend()}
    return {"strategy": way}


def batched(program: Program, way: str, **more: Any) -> Any:
    context = Context(**{**options(way), **more})
    for helper in program.helpers:
        context.batch(helper)
    made = context.batch(program.function)
    return made.options(max_stack_depth=program.depth)


def one_by_one(program: Program, inputs: tuple[Any, ...]) -> list[Any]:
    """What plain Python gives for every example."""
    found = []
    for place in range(len(inputs[0])):
        found.append(program.function(*(_plain(column[place]) for column in inputs)))
    return found


def _plain(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value.item()


def lane(result: Any, place: int) -> Any:
    """One example's part of a batched result."""
    if isinstance(result, tuple):
        items = [lane(item, place) for item in result]
        return type(result)(*items) if hasattr(result, "_fields") else tuple(items)
    if isinstance(result, dict):
        return {key: lane(item, place) for key, item in result.items()}
    found = result[place]
    return found.numpy() if hasattr(found, "numpy") else np.asarray(found)


def assert_same(found: Any, expected: Any, exact: bool = True) -> None:
    """The same structure, and the same numbers to the bit (or nearly, where another library computes them)."""
    if isinstance(expected, tuple):
        assert type(found) is type(expected)
        assert len(found) == len(expected)
        for one, two in zip(found, expected, strict=True):
            assert_same(one, two, exact)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        for key in expected:
            assert_same(found[key], expected[key], exact)
    elif exact:
        np.testing.assert_array_equal(found, expected)
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.fixture(params=way_params())
def way(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=list(PROGRAMS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param
