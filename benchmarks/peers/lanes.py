"""Programs for one example, and how a plain Python loop runs them: what autobatching stands beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def fib(n: int) -> int:
    if n <= 1:
        return 1
    return fib(n - 1) + fib(n - 2)


def collatz(n: int) -> int:
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


def newton(x: float) -> float:
    guess = x
    while abs(guess * guess - x) > 1e-9 * x:
        guess = 0.5 * (guess + x / guess)
    return guess


def mandelbrot(x: float, y: float) -> int:
    zr = 0.0
    zi = 0.0
    count = 0
    while count < 100 and zr * zr + zi * zi <= 4.0:
        zr, zi = zr * zr - zi * zi + x, 2.0 * zr * zi + y
        count += 1
    return count


def inputs(function: Callable[..., Any], lanes: int) -> tuple[np.ndarray[Any, Any], ...]:
    """Examples for a program, always the same."""
    rng = np.random.default_rng(0)
    if function is fib:
        return (rng.integers(5, 13, lanes),)
    if function is collatz:
        return (rng.integers(1, 10_000, lanes),)
    if function is newton:
        return (rng.uniform(0.1, 1000.0, lanes),)
    return rng.uniform(-2.0, 1.0, lanes), rng.uniform(-1.5, 1.5, lanes)


def plain(function: Callable[..., Any], columns: Sequence[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """Arrays in, arrays out, one example after the other on Python's own numbers."""
    return np.array([function(*row) for row in zip(*(column.tolist() for column in columns), strict=True)])
