"""The programs of `benchmarks.peers.lanes` as somebody would write them for whole batches by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def collatz(n: Array) -> Array:
    """Masked: all lanes are computed until the last one is done."""
    n, steps = n.copy(), np.zeros_like(n)
    while (on := n != 1).any():
        n = np.where(on, np.where(n % 2 == 0, n // 2, 3 * n + 1), n)
        steps += on
    return steps


def newton(x: Array) -> Array:
    guess = x.copy()
    while (on := abs(guess * guess - x) > 1e-9 * x).any():
        guess = np.where(on, 0.5 * (guess + x / guess), guess)
    return guess


def mandelbrot(x: Array, y: Array) -> Array:
    zr, zi, count = np.zeros_like(x), np.zeros_like(x), np.zeros(len(x), np.int64)
    on = np.ones(len(x), bool)
    while on.any():
        zr, zi = np.where(on, zr * zr - zi * zi + x, zr), np.where(on, 2.0 * zr * zi + y, zi)
        count += on
        on &= (count < 100) & (zr * zr + zi * zi <= 4.0)
    return count


def for_jax() -> dict[str, Any]:
    """One example each, with JAX's own loops, for ``jax.vmap``. Recursion it has none."""
    import jax.numpy as jnp
    from jax import lax

    def collatz(n: Any) -> Any:
        def step(state: Any) -> Any:
            n, steps = state
            return jnp.where(n % 2 == 0, n // 2, 3 * n + 1), steps + 1

        return lax.while_loop(lambda state: state[0] != 1, step, (n, jnp.zeros_like(n)))[1]

    def newton(x: Any) -> Any:
        return lax.while_loop(lambda g: abs(g * g - x) > 1e-9 * x, lambda g: 0.5 * (g + x / g), x)

    def mandelbrot(x: Any, y: Any) -> Any:
        def on(state: Any) -> Any:
            zr, zi, count = state
            return (count < 100) & (zr * zr + zi * zi <= 4.0)

        def step(state: Any) -> Any:
            zr, zi, count = state
            return zr * zr - zi * zi + x, 2.0 * zr * zi + y, count + 1

        return lax.while_loop(on, step, (jnp.zeros_like(x), jnp.zeros_like(x), jnp.zeros((), jnp.int64)))[2]

    return {"collatz": collatz, "newton": newton, "mandelbrot": mandelbrot}
