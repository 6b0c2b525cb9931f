"""A No-U-Turn sampler of one chain, recursive, and what it samples from."""

from __future__ import annotations

from typing import Any

import numpy as np

from operator_lib.autobatch import Context

Array = np.ndarray[Any, Any]
DEPTH = 6


class Regression:
    """Bayesian logistic regression: standard normal prior, points drawn from a model."""

    step = 0.12

    def __init__(self, points: int = 500, width: int = 5) -> None:
        rng = np.random.default_rng(7)
        self.X = rng.normal(size=(points, width))
        self.y = (rng.uniform(size=points) < 1 / (1 + np.exp(-self.X @ rng.normal(size=width)))).astype(float)
        self.width = width

    def single(self) -> tuple[Any, Any]:
        """Density and slope for one chain."""
        X, y = self.X, self.y

        def log_density(q):
            logits = X @ q
            return np.sum(y * logits - np.logaddexp(0.0, logits)) - 0.5 * np.sum(q * q)

        def slope(q):
            return X.T @ (y - 1.0 / (1.0 + np.exp(-(X @ q)))) - q

        return log_density, slope

    def batched(self) -> tuple[Any, Any]:
        """The same as somebody writes them for many chains: one product of matrices."""
        X, y = self.X, self.y

        def log_density(q: Array) -> Array:
            logits = q @ X.T
            return (y * logits - np.logaddexp(0.0, logits)).sum(1) - 0.5 * (q * q).sum(1)

        def slope(q: Array) -> Array:
            return (y - 1.0 / (1.0 + np.exp(-(q @ X.T)))) @ X - q

        return log_density, slope


class Normal:
    """A normal distribution whose deviations differ: a slope that costs next to nothing."""

    step = 0.25

    def __init__(self, width: int = 10) -> None:
        self.scale = np.linspace(0.5, 2.0, width) ** -2
        self.width = width

    def single(self) -> tuple[Any, Any]:
        scale = self.scale

        def log_density(q):
            return -0.5 * np.sum(scale * q * q)

        def slope(q):
            return -scale * q

        return log_density, slope

    def batched(self) -> tuple[Any, Any]:
        scale = self.scale
        return (lambda q: -0.5 * (scale * q * q).sum(1)), (lambda q: -scale * q)


def uniform(state):
    state = (1103515245 * state + 12345) % 2147483648
    return state, state / 2147483648


def turns_back(left, right):
    span = right[0] - left[0]
    return np.sum(span * left[1]) < 0 or np.sum(span * right[1]) < 0


def sampler(target: Any, **options: Any) -> Any:
    """The sampler for whole batches: start, momenta of the steps, size of a step, state of the random numbers → last
    point, sum and sum of squares of the points, state."""
    log_density, slope = target.single()
    ctx = Context(**options)

    @ctx.batch
    def tree(q, p, log_u, direction, depth, step, state):
        if depth == 0:
            p = p + 0.5 * step * direction * slope(q)
            q = q + step * direction * p
            p = p + 0.5 * step * direction * slope(q)
            energy = log_density(q) - 0.5 * np.sum(p * p)
            return q, p, q, p, q, int(log_u <= energy), log_u < energy + 1000.0, state
        near = tree(q, p, log_u, direction, depth - 1, step, state)
        left, right = near[:2], near[2:4]
        chosen, count, going, state = near[4:]
        if going:
            q, p = left if direction < 0 else right
            far = tree(q, p, log_u, direction, depth - 1, step, state)
            left, right = (far[:2], right) if direction < 0 else (left, far[2:4])
            other, more, going, state = far[4:]
            state, u = uniform(state)
            if u * (count + more) < more:
                chosen = other
            count += more
            if turns_back(left, right):
                going = False
        return left + right + (chosen, count, going, state)

    @ctx.batch
    def sample(q, momenta, step, state):
        total = np.zeros(len(q))
        squares = np.zeros(len(q))
        for p in momenta:
            state, u = uniform(state)
            log_u = log_density(q) - 0.5 * np.sum(p * p) + np.log(u + 1e-12)
            left, right = (q, p), (q, p)
            count, depth, going = 1, 0, True
            while going and depth < DEPTH:
                state, u = uniform(state)
                direction = 1.0 if u < 0.5 else -1.0
                start, momentum = left if direction < 0 else right
                far = tree(start, momentum, log_u, direction, depth, step, state)
                left, right = (far[:2], right) if direction < 0 else (left, far[2:4])
                other, more, going, state = far[4:]
                state, u = uniform(state)
                if going and u * count < more:
                    q = other
                count += more
                if turns_back(left, right):
                    going = False
                depth += 1
            total = total + q
            squares = squares + q * q
        return q, total, squares, state

    return sample


def start(target: Any, chains: int, steps: int) -> tuple[Any, ...]:
    """Arguments of a sampler."""
    rng = np.random.default_rng(0)
    q = 0.1 * rng.normal(size=(chains, target.width))
    return q, rng.normal(size=(chains, steps, target.width)), target.step, np.arange(1, chains + 1)
