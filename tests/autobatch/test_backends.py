"""What arrays of other libraries give back: their own arrays, their types, the same errors."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from operator_lib.autobatch import CompileError, LaneError, NumpyBackend, StackOverflow, autobatch


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


def applied(function, *more, **named):
    def one(x):
        return function(x, *more, **named)

    return one


FLOATS = np.array([[[0.3, -0.5], [0.7, 0.2]], [[0.1, 0.9], [0.4, 0.2]]])
NUMPYS = {
    "std": applied(np.std),
    "std of a sample": applied(np.std, axis=0, ddof=1),
    "var": applied(np.var, axis=1),
    "median": applied(np.median),
    "sort": applied(np.sort),
    "argsort": applied(np.argsort, axis=0),
    "cumsum": applied(np.cumsum),
    "flip": applied(np.flip),
    "transpose": applied(np.transpose),
    "expand_dims": applied(np.expand_dims, 0),
    "repeat": applied(np.repeat, 2),
    "tile": applied(np.tile, 2),
    "take": applied(np.take, 1, axis=1),
    "sum": applied(np.sum, axis=0, keepdims=True),
    "norm": applied(np.linalg.norm),
    "inv": applied(np.linalg.inv),
    "clip": applied(np.clip, 0.0, 0.5),
    "moveaxis": applied(np.moveaxis, 0, 1),
}


def test_functions_of_numpy_mean_what_they_mean_there(array: Any) -> None:
    given = array(FLOATS)
    for name, function in NUMPYS.items():
        found = np.asarray(autobatch(function)(given))
        np.testing.assert_allclose(found, [function(row) for row in FLOATS], rtol=1e-5, err_msg=name)


@autobatch
def with_try(v):
    return tried(v) + 1


def tried(v):
    try:
        return v * 2
    except ValueError:
        return v


@autobatch
def at(v, i):
    v[i] += 5
    return v


def test_functions_that_cannot_be_read_and_places_outside_on_torch() -> None:
    torch = pytest.importorskip("torch")
    given = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    found = with_try(given)
    assert found.tolist() == [[3, 5], [7, 9]]
    found.sum().backward()
    assert given.grad.tolist() == [[2, 2], [2, 2]]
    with pytest.raises(IndexError) as info:
        at(torch.zeros(3, 2), torch.tensor([0, 5, 1]))
    assert list(info.value.lanes) == [1]
    assert info.value.results[[0, 2]].tolist() == [[5, 0], [0, 5]]


def test_what_torch_means_itself_and_what_is_refused() -> None:
    torch = pytest.importorskip("torch")

    def added_in_place(x):
        x.add_(1)
        return x

    def spread_of(x):
        return x.std()

    def drawn(x):
        return x + torch.rand(2)

    given = torch.tensor([[1.0, 2.0], [3.0, 7.0]])
    assert torch.allclose(autobatch(spread_of)(given), given.std(dim=1))
    for function, why in (
        (drawn, "something else each time"),
        (applied(np.ptp), "no function that means the same"),
        (added_in_place, "in place"),
    ):
        with pytest.raises(CompileError, match=why):
            autobatch(function)(given)


def test_functions_of_tensorflow_keep_their_types_and_axes() -> None:
    tf = pytest.importorskip("tensorflow")
    whole = tf.constant([[[1, 2], [4, 5]], [[9, 3], [7, 7]]], tf.int32)
    floats = tf.cast(whole, tf.float32)
    for reduced in (tf.reduce_sum, tf.reduce_mean, tf.reduce_prod, tf.argmax, tf.math.cumsum, tf.identity):
        for given in (whole, floats):
            found, expected = autobatch(applied(reduced))(given), tf.stack([reduced(one) for one in given])
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(found, expected, rtol=1e-6)

    def summed(x):
        return tf.reduce_sum(input_tensor=x, axis=-1, keepdims=True)

    assert np.asarray(autobatch(summed)(floats)).tolist() == [[[3], [9]], [[12], [14]]]


MISSING = """
import sys
from operator_lib import autobatch

for library, ask in (
    ("numpy", lambda: autobatch(len)),
    ("torch", lambda: autobatch.TorchBackend),
    ("jax", lambda: autobatch.JaxBackend),
    ("tensorflow", lambda: autobatch.TensorFlowBackend),
    ("numba", lambda: autobatch.NativeBackend()),
):
    sys.modules[library] = None
    try:
        ask()
    except ModuleNotFoundError as error:
        print(error)
    del sys.modules[library]
"""


def test_a_missing_library_is_named_with_its_extra() -> None:
    ran = subprocess.run([sys.executable, "-c", MISSING], capture_output=True, text=True, timeout=60)
    assert ran.stdout.splitlines() == [
        "operator_lib.autobatch.Context needs NumPy: pip install 'operator_lib[autobatch]'",
        "operator_lib.autobatch.TorchBackend needs PyTorch: pip install 'operator_lib[autobatch-torch]'",
        "operator_lib.autobatch.JaxBackend needs JAX: pip install 'operator_lib[autobatch-jax]'",
        "operator_lib.autobatch.TensorFlowBackend needs TensorFlow: pip install 'operator_lib[autobatch-tensorflow]'",
        "operator_lib.autobatch.NativeBackend needs Numba: pip install 'operator_lib[autobatch-native]'",
    ], ran.stderr
