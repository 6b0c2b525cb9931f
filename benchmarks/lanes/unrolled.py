"""The sampler of `benchmarks.lanes.nuts` unrolled by hand for many chains: loops and masks in place of recursion.

All chains double at the same time; of those that still do, the leaves of the tree are made one after the other, and
complete halves are merged as they come, which asks for one waiting half a level. The numbers are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.lanes.nuts import DEPTH

Array = np.ndarray[Any, Any]
# Left end and its momentum, right end and its momentum, the chosen point, how many count, whether to go on.
Tree = list[Array]


class Uniform:
    """Random numbers of every chain's own."""

    def __init__(self, state: Array) -> None:
        self.state = state.copy()

    def draw(self, rows: Array) -> Array:
        self.state[rows] = (1103515245 * self.state[rows] + 12345) % 2147483648
        return self.state[rows] / 2147483648


def turns_back(tree: Tree) -> Array:
    span = tree[2] - tree[0]
    return ((span * tree[1]).sum(1) < 0) | ((span * tree[3]).sum(1) < 0)


def merged(first: Tree, second: Tree, left: Array, u: Array) -> Tree:
    sided = left[:, None]
    ends = [np.where(sided, second[n], first[n]) for n in (0, 1)]
    ends += [np.where(sided, first[n], second[n]) for n in (2, 3)]
    count = first[5] + second[5]
    chosen = np.where((u * count < second[5])[:, None], second[4], first[4])
    return [*ends, chosen, count, second[6] & ~turns_back(ends)]


def put(held: Tree, rows: Array, tree: Tree, count: int) -> Tree:
    """The parts of trees at these rows of what is held."""
    held = held or [np.empty((count, *part.shape[1:]), part.dtype) for part in tree]
    for whole, part in zip(held, tree, strict=True):
        whole[rows] = part
    return held


def sampler(target: Any) -> Callable[..., tuple[Array, ...]]:
    log_density, slope = target.batched()

    def leaf(q: Array, p: Array, log_u: Array, way: Array) -> Tree:
        p = p + 0.5 * way * slope(q)
        q = q + way * p
        p = p + 0.5 * way * slope(q)
        energy = log_density(q) - 0.5 * (p * p).sum(1)
        return [q, p, q, p, q, (log_u <= energy).astype(np.int64), log_u < energy + 1000.0]

    def grown(q: Array, p: Array, log_u: Array, way: Array, rows: Array, depth: int, random: Uniform) -> Tree:
        """Trees of `depth`, of the chains at `rows`."""
        found: Tree = []
        waiting: list[Tree] = [[] for _ in range(depth)]
        here, left = np.arange(len(rows)), way[:, 0] < 0

        def with_first(tree: Tree, at: Array, level: int) -> Tree:
            return merged([part[at] for part in waiting[level]], tree, left[at], random.draw(rows[at]))

        for number in range(1 << depth):
            tree = leaf(q[here], p[here], log_u[here], way[here])
            q[here], p[here] = tree[0], tree[1]
            level = 0
            while level < depth:
                if number >> level & 1:
                    tree = with_first(tree, here, level)
                    level += 1
                    continue
                stopped = ~tree[6]
                if stopped.any():  # these are done, and go up; the others wait for their second halves
                    at, done = here[stopped], [part[stopped] for part in tree]
                    for higher in range(level, depth):
                        if number >> higher & 1:
                            done = with_first(done, at, higher)
                    found = put(found, at, done, len(rows))
                    here, tree = here[~stopped], [part[~stopped] for part in tree]
                break
            if not len(here):
                break
            if level == depth:
                found = put(found, here, tree, len(rows))
            else:
                waiting[level] = put(waiting[level], here, tree, len(rows))
        return found

    def sample(q: Array, momenta: Array, step: float, state: Array) -> tuple[Array, ...]:
        random, everybody = Uniform(state), np.arange(len(q))
        q = q.copy()
        total, squares = np.zeros_like(q), np.zeros_like(q)
        for number in range(momenta.shape[1]):
            p = momenta[:, number]
            log_u = log_density(q) - 0.5 * (p * p).sum(1) + np.log(random.draw(everybody) + 1e-12)
            ends = [q.copy(), p.copy(), q.copy(), p.copy()]
            count, on = np.ones(len(q), np.int64), everybody
            for depth in range(DEPTH):
                left = (random.draw(on) >= 0.5)[:, None]
                start = [np.where(left, ends[n][on], ends[n + 2][on]) for n in (0, 1)]
                tree = grown(*start, log_u[on], np.where(left, -step, step), on, depth, random)
                for n in (0, 1):
                    ends[n][on] = np.where(left, tree[n], ends[n][on])
                    ends[n + 2][on] = np.where(left, ends[n + 2][on], tree[n + 2])
                taken = tree[6] & (random.draw(on) * count[on] < tree[5])
                q[on[taken]] = tree[4][taken]
                count[on] += tree[5]
                on = on[tree[6] & ~turns_back([end[on] for end in ends])]
                if not len(on):
                    break
            total += q
            squares += q * q
        return q, total, squares, random.state

    return sample
