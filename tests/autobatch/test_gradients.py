"""Gradients through loops, branches, recursion and stores, against finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from operator_lib.autobatch import autobatch


def newton(a, n):
    x = a
    for _ in range(n):
        x = 0.5 * (x + a / x)
    if x > 2.0:
        x = x * np.sin(x)
    return x


def power(v, n):
    if n == 0:
        return np.sum(v * 0.0) + 1.0
    return np.sum(v * v) * power(v, n - 1)


def stored(v, i):
    w = v * 2.0
    w[i] = v[0] * v[1]
    total = 0.0 * v[0]
    for x in w:
        total = total + x * x
    return total


def guarded(x, n):
    """The branch that is not taken has an infinite slope."""
    if x > 0:
        return np.sqrt(x) * n
    return x * x * n


CASES = {
    "newton": (newton, np.array([2.0, 9.0, 16.0]), np.array([3, 6, 8])),
    "power": (power, np.array([[0.5, 1.5], [1.0, -1.0], [0.3, 0.2]]), np.array([0, 1, 3])),
    "stored": (stored, np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [0.5, 1.5, 2.5]]), np.array([0, 1, 2])),
    "guarded": (guarded, np.array([4.0, 0.0, -3.0]), np.array([1, 1, 2])),
}


def slopes(function: Any, x: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Central differences of the sum over the batch, example by example."""
    found = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        sides = []
        for step in (1e-6, -1e-6):
            moved = x.copy()
            moved[place] += step
            sides.append(np.sum(np.asarray(function(moved, n))))
        found[place] = (sides[0] - sides[1]) / 2e-6
    return found


@pytest.mark.parametrize("name", CASES)
def test_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    function, x, n = CASES[name]
    batched = autobatch(function)
    given = torch.tensor(x, requires_grad=True)
    (gradient,) = torch.autograd.grad(batched(given, torch.tensor(n)).sum(), given)
    assert torch.isfinite(gradient).all()
    expected = slopes(autobatch(function, strategy="program_counter"), x, n)
    if name == "guarded":
        expected[1] = 0.0  # the slope of x * x on the left of the edge
    np.testing.assert_allclose(gradient.numpy(), expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_jax(name: str) -> None:
    jax = pytest.importorskip("jax")
    function, x, n = CASES[name]
    batched = autobatch(function)
    with jax.enable_x64(True):
        gradient = jax.grad(lambda v: batched(v, jax.numpy.asarray(n)).sum())(jax.numpy.asarray(x))
    assert np.isfinite(gradient).all()
    expected = slopes(autobatch(function, strategy="program_counter"), x, n)
    if name == "guarded":
        expected[1] = 0.0
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-8)
