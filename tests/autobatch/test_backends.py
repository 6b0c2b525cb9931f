"""What arrays of other libraries give back: their own arrays, their types, the same errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from operator_lib.autobatch import LaneError, NumpyBackend, StackOverflow, autobatch


@autobatch
def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


@autobatch
def root(x):
    if x < 0:
        raise ValueError(f"no root of {x}")
    return x**0.5


@autobatch
def filled(v, i):
    v[i] = np.sum(v)
    return v, np.max(v)


LIBRARIES = {"torch": "torch", "jax": "jax.numpy", "tensorflow": "tensorflow"}


@pytest.fixture(params=LIBRARIES)
def array(request: pytest.FixtureRequest) -> Any:
    """Makes an array of the library."""
    pytest.importorskip(request.param)
    library = pytest.importorskip(LIBRARIES[request.param])
    make = {"torch": "tensor", "jax": "asarray", "tensorflow": "constant"}[request.param]
    return getattr(library, make)


def test_arrays_of_the_same_library(array: Any) -> None:
    given = array(np.array([3, 5], np.int32))
    found = depth(given)
    assert type(found) is type(given)
    assert np.asarray(found).tolist() == [3, 5]
    rows, largest = filled(array(np.ones((2, 3), np.float32)), array(np.array([0, 2], np.int32)))
    assert rows.dtype == array(np.ones(1, np.float32)).dtype
    assert np.asarray(rows).tolist() == [[3, 1, 1], [1, 1, 3]]
    assert np.asarray(largest).tolist() == [3, 3]


def test_overflow(array: Any) -> None:
    with pytest.raises(StackOverflow, match="Maximum stack depth exceeded"):
        depth(array(np.array([3, 40], np.int32)))
    assert np.asarray(depth(array(np.array([3, 40], np.int32)), max_stack_depth=None)).tolist() == [3, 40]


def test_exceptions(array: Any) -> None:
    with pytest.raises(ValueError, match=r"lane 1, .*in root: ValueError: no root of") as info:
        root(array(np.array([4.0, -1.0, 9.0], np.float32)))
    assert isinstance(info.value, LaneError)
    assert list(info.value.lanes) == [1]
    assert np.asarray(info.value.results)[[0, 2]].tolist() == [2, 3]


def test_a_backend_can_be_asked_for(array: Any) -> None:
    found = depth(array(np.array([3, 5], np.int32)), backend=NumpyBackend())
    assert isinstance(found, np.ndarray)


def test_what_is_no_backend() -> None:
    with pytest.raises(TypeError, match="backend must be one of"):
        depth(np.array([1]), backend="numpy")
